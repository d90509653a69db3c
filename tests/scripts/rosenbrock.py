"""Descent into Rosenbrock's valley; its gradient and its Hessian."""

import torch


def rosenbrock(x):
    return torch.sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0)


x = torch.tensor([-1.2, 1.0], dtype=torch.double, requires_grad=True)
loss = rosenbrock(x)
print(loss)
(grad,) = torch.autograd.grad(loss, x, create_graph=True)
print(grad)
rows = [torch.autograd.grad(g, x, retain_graph=True)[0] for g in grad]
print(torch.stack(rows))
print(torch.autograd.functional.hessian(rosenbrock, x))
with torch.no_grad():
    for _ in range(6):
        with torch.enable_grad():
            (grad,) = torch.autograd.grad(rosenbrock(x), x)
        step = torch.linalg.solve(torch.autograd.functional.hessian(rosenbrock, x), grad)
        x -= step
        print(x, f"{rosenbrock(x):.3e}")
y = torch.tensor([-1.2, 1.0], requires_grad=True)
optimizer = torch.optim.Adam([y], lr=0.1)
for i in range(200):
    optimizer.zero_grad()
    value = rosenbrock(y)
    value.backward()
    optimizer.step()
    if i % 50 == 49:
        print(i, f"{value.item():.4f}", y)
