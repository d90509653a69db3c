"""Ratings explained by factors of users and items."""

import torch

torch.manual_seed(0)
users, items, factors = 12, 9, 3
ratings = torch.randn(users, factors) @ torch.randn(factors, items)
observed = torch.rand(users, items) < 0.7
print(observed.sum(), observed.float().mean())
U = torch.nn.Parameter(torch.randn(users, factors) * 0.1)
V = torch.nn.Parameter(torch.randn(items, factors) * 0.1)
optimizer = torch.optim.AdamW([U, V], lr=0.05, weight_decay=1e-4)
for epoch in range(151):
    prediction = torch.einsum("uf,if->ui", U, V)
    error = (prediction - ratings)[observed]
    loss = error.square().mean() + 1e-3 * (U.norm() ** 2 + V.norm() ** 2)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 50 == 0:
        print(f"epoch {epoch:3d} loss {loss.item():.4f}")
values, indices = torch.topk((U @ V.T).detach()[0], 3)
print(indices)
print(torch.linalg.matrix_norm(ratings).item() > 1, U.shape, V.grad.shape)
rank = torch.argsort(ratings[0], descending=True)
print(rank, ratings[0].sort().indices)
