"""Gradients clipped by norm and by value; parameters as a vector."""

import torch
import torch.nn as nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_, parameters_to_vector, vector_to_parameters

torch.manual_seed(3)
model = nn.Linear(4, 3)
x, y = torch.randn(8, 4), torch.randn(8, 3)
loss = 100 * nn.functional.mse_loss(model(x), y)
loss.backward()
print(clip_grad_norm_(model.parameters(), max_norm=2.0))
print(f"{torch.sqrt(sum(p.grad.pow(2).sum() for p in model.parameters())):.4f}")
print(model.weight.grad.norm(), model.weight.grad.norm(p=1), torch.norm(model.bias.grad))
clip_grad_value_(model.parameters(), 0.3)
print(model.weight.grad)
vector = parameters_to_vector(model.parameters())
print(vector.shape, vector[:3])
vector_to_parameters(torch.ones_like(vector), model.parameters())
print(model.weight)
print(sum(p.numel() for p in model.parameters() if p.requires_grad))
