"""Jacobians, Hessians and their products; derivatives of derivatives."""

import torch
from torch.autograd.functional import hessian, hvp, jacobian, jvp, vhp, vjp


def exp_reducer(x):
    return x.exp().sum(dim=1)


def pow_adder(x, y):
    return 2 * x.pow(2).sum() + 3 * y.pow(2).sum()


torch.manual_seed(0)
inputs = torch.rand(2, 2)
print(jacobian(exp_reducer, inputs))
print(hessian(lambda x: x.pow(3).sum(), inputs))
print(hessian(pow_adder, (torch.rand(2), torch.rand(2))))
v = torch.ones(2)
print(vjp(exp_reducer, inputs, v))
print(jvp(exp_reducer, inputs, torch.ones(2, 2)))
print(hvp(lambda x: x.pow(3).sum(), inputs, torch.ones(2, 2)))
print(vhp(lambda x: x.pow(3).sum(), inputs, torch.ones(2, 2)))
x = torch.tensor(1.0, requires_grad=True)
y = torch.sin(x) * torch.exp(-x)
for order in range(4):
    (y,) = torch.autograd.grad(y, x, create_graph=True)
    print(order + 1, y)
