"""Scaled dot-product attention by hand, as a function, and as a layer; a block that learns to copy."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
q, k, v = (torch.randn(1, 4, 8) for _ in range(3))
scores = torch.bmm(q, k.transpose(1, 2)) / math.sqrt(8)
weights = F.softmax(scores, dim=-1)
print(weights)
print(torch.allclose(weights @ v, F.scaled_dot_product_attention(q, k, v), atol=1e-6))
mask = torch.tril(torch.ones(4, 4)).bool()
scores = scores.masked_fill(~mask, float("-inf"))
print(F.softmax(scores, dim=-1))
mha = nn.MultiheadAttention(8, 2, batch_first=True)
out, attn = mha(q, k, v)
print(out.shape, attn.shape, torch.allclose(attn.sum(-1), torch.ones(1, 4)))
print([name for name, _ in mha.named_parameters()])


class Block(nn.Module):
    def __init__(self, tokens, width):
        super().__init__()
        self.embed = nn.Embedding(tokens, width)
        self.position = nn.Parameter(0.1 * torch.randn(6, width))
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, tokens)

    def forward(self, x):
        h = self.embed(x) + self.position
        a, _ = self.attention(h, h, h, need_weights=False)
        return self.head(self.norm(h + a))


model = Block(10, 16)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
x = torch.randint(0, 10, (32, 6))
for step in range(40):
    logits = model(x)
    loss = F.cross_entropy(logits.reshape(-1, 10), x.flip(1).reshape(-1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 9:
        print(f"{step + 1} {loss.item():.3f}")
