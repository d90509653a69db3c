"""What may be changed in place, and what the tape says to the rest."""

import torch

x = torch.ones(3, requires_grad=True)
y = x * 2
y.mul_(3)
y[0] = 10.0
y.sum().backward()
print(x.grad, y)
for attempt in (
    lambda x: x.add_(1),
    lambda x: x.__setitem__(0, 1.0),
):
    try:
        attempt(x)
    except RuntimeError as error:
        print(str(error).split("\n")[0])
a = torch.rand(3, requires_grad=True)
b = a.exp()
b.add_(1)
try:
    b.sum().backward()
except RuntimeError as error:
    print(str(error)[:88])
c = torch.rand(3, requires_grad=True)
d = c**2
try:
    d.sum().backward()
    d.sum().backward()
except RuntimeError as error:
    print(str(error)[:60])
z = torch.zeros(4)
z[1:3].fill_(5)
z.clamp_(max=4).sub_(1).abs_()
print(z, z._version)
w = torch.tensor([1.0, 2.0], requires_grad=True)
v = w.clone()
v[0] *= 5
(v * v).sum().backward()
print(w.grad)
with torch.no_grad():
    w.copy_(torch.tensor([7.0, 8.0]))
print(w, w.is_leaf, v.is_leaf, v.grad_fn.name())
