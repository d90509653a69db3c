"""A nan hunted down; a part of a network computed twice to save memory."""

import warnings

import torch
from torch.utils.checkpoint import checkpoint

warnings.simplefilter("ignore")
x = torch.tensor([1.0, 0.0], requires_grad=True)
try:
    with torch.autograd.detect_anomaly():
        y = torch.sqrt(x - 1)
        y.sum().backward()
except RuntimeError as error:
    print(str(error).split("\n")[0][:60])
torch.manual_seed(0)
layer = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh(), torch.nn.Linear(4, 4))
z = torch.randn(2, 4, requires_grad=True)
checkpoint(layer, z, use_reentrant=False).sum().backward()
first = z.grad.clone()
z.grad = None
layer(z).sum().backward()
print(torch.equal(first, z.grad), first)
