"""Shapes that broadcast and those that do not; dtypes that meet."""

import torch

a, b = torch.ones(3, 1), torch.arange(4)
print((a + b).shape, (a + b).dtype, a * b)
print((torch.tensor(1) / 2).dtype, torch.tensor([1, 2]) // 2, torch.tensor([5, -5]) % 3)
print(
    (torch.tensor([1, 2]) + 1.5).dtype,
    (torch.tensor([True]) + 1),
    torch.tensor([1.0]).double() + torch.ones(1),
)
print(torch.result_type(torch.tensor([1]), 1.0), torch.promote_types(torch.int32, torch.float32))
for attempt in (
    lambda: torch.ones(2, 3) + torch.ones(4),
    lambda: torch.ones(2, 3) @ torch.ones(2, 3),
    lambda: torch.ones(2, 3).view(4),
    lambda: torch.cat([torch.ones(2, 3), torch.ones(2, 4)]),
    lambda: torch.arange(3).requires_grad_(),
    lambda: torch.ones(3).sum(1),
    lambda: bool(torch.ones(2)),
    lambda: torch.ones(2, requires_grad=True).numpy(),
    lambda: torch.tensor([[1, 2], [3]]),
    lambda: torch.ones(2).item(),
):
    try:
        attempt()
    except (RuntimeError, IndexError, TypeError, ValueError) as error:
        print(type(error).__name__, str(error).split("\n")[0])
print(torch.tensor([1.5, -1.5]).long(), torch.tensor([0, 2]).bool(), torch.tensor(3.7).int())
print(torch.tensor([1e-8, 1.0, 1e8]), torch.tensor([float("inf"), float("nan"), -0.0]), torch.tensor([1e10]))
print(torch.div(torch.tensor([7.0, -7.0]), 2, rounding_mode="trunc"), torch.floor_divide(torch.tensor(7), 2))
print(torch.arange(1200), torch.zeros(0), torch.zeros(2, 0), torch.tensor([[True, False]]))
print(torch.isclose(torch.tensor(1.0), torch.tensor(1.0 + 1e-9)), torch.allclose(a, a + 1e-9))
print(torch.finfo(torch.float32).eps, torch.iinfo(torch.int64).max, torch.get_default_dtype())
