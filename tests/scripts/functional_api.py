"""torch.func: gradients, Jacobians and Hessians of functions; modules called with other parameters."""

import torch
from torch.func import functional_call, grad, grad_and_value, hessian, jacrev

print(grad(lambda x: torch.sin(x))(torch.tensor(0.5)))
print(grad(grad(torch.sin))(torch.tensor(0.5)))
print(grad_and_value(lambda x: (x**2).sum())(torch.tensor([1.0, 2.0])))
print(jacrev(torch.sin)(torch.tensor([0.0, 1.0])))
print(hessian(lambda x: (x**3).sum())(torch.tensor([1.0, 2.0])))
torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
params = dict(model.named_parameters())
x, y = torch.randn(8, 3), torch.randn(8, 1)


def loss_fn(params, x, y):
    return torch.nn.functional.mse_loss(functional_call(model, params, (x,)), y)


for _ in range(3):
    grads = grad(loss_fn)(params, x, y)
    params = {k: v.detach() - 0.1 * grads[k] for k, v in params.items()}
    print(f"{loss_fn(params, x, y).item():.4f}")
