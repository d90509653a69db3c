"""Hooks on tensors and modules: gradients looked at, changed, and collected."""

import torch
import torch.nn as nn

v = torch.tensor([0.0, 0.0, 0.0], requires_grad=True)
h = v.register_hook(lambda grad: grad * 2)
v.backward(torch.tensor([1.0, 2.0, 3.0]))
print(v.grad)
h.remove()
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
shapes = {}


def remember(name):
    def hook(module, inputs, output):
        shapes[name] = (tuple(inputs[0].shape), tuple(output.shape))

    return hook


handles = [module.register_forward_hook(remember(name)) for name, module in model.named_children()]


def show(module, grad_input, grad_output):
    print(module.__class__.__name__, [None if g is None else tuple(g.shape) for g in grad_output])


handles += [module.register_full_backward_hook(show) for module in model]
x = torch.randn(5, 3, requires_grad=True)
model(x).sum().backward()
print(shapes)
for handle in handles:
    handle.remove()
activations = []
y = model[1](model[0](x))
y.retain_grad()
y.register_hook(lambda g: activations.append(g.norm().item()))
model[2](y).pow(2).sum().backward()
print([f"{a:.4f}" for a in activations], y.grad.shape)
print(model[0].weight.grad)


def double(module, inputs):
    return (inputs[0] * 2,)


model.register_forward_pre_hook(double)
print(model(x))
