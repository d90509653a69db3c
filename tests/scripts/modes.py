"""Layers that know training from evaluation: dropout, batch and layer normalisation, running statistics."""

import torch
import torch.nn as nn

torch.manual_seed(1)
m = nn.Dropout(p=0.2)
input = torch.randn(3, 4)
print(m(input))
m.eval()
print(torch.equal(m(input), input))
bn = nn.BatchNorm1d(4)
print(bn)
for _ in range(3):
    out = bn(torch.randn(10, 4) * 2 + 5)
print(out.mean(0).abs().max() < 1e-5, out.var(0, unbiased=False))
print(bn.running_mean, bn.running_var, bn.num_batches_tracked)
bn.eval()
print(bn(torch.full((2, 4), 5.0)))
print(list(bn.state_dict()))
ln = nn.LayerNorm(4)
print(ln(input))
print(nn.GroupNorm(2, 4)(torch.randn(2, 4, 3)).shape)
model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))
print(model.training, model.eval().training, model[3].training)
print(model(input))
model.train()
print(model(input))
