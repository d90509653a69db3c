"""Least squares by normal equations and by descent; determinants, inverses, factors."""

import torch

torch.manual_seed(0)
A = torch.randn(20, 3, dtype=torch.float64)
truth = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
b = A @ truth + 0.01 * torch.randn(20, dtype=torch.float64)
x = torch.linalg.solve(A.T @ A, A.T @ b)
print(x)
print(torch.linalg.inv(A.T @ A) @ A.T @ b)
L = torch.linalg.cholesky(A.T @ A)
print(torch.allclose(L @ L.T, A.T @ A), L)
print(torch.det(A.T @ A), torch.linalg.slogdet(A.T @ A), torch.logdet(A.T @ A))
w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
for i in range(101):
    loss = torch.linalg.norm(A @ w - b) ** 2 / len(b)
    (g,) = torch.autograd.grad(loss, w)
    with torch.no_grad():
        w -= 0.2 * g
    if i % 25 == 0:
        print(i, f"{loss.item():.6f}", w.detach())
M = torch.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
torch.logdet(M).backward()
print(M.grad, torch.inverse(M), torch.matrix_power(M, 3), sep="\n")
print(
    torch.cdist(torch.eye(2), torch.zeros(1, 2)),
    torch.linalg.vector_norm(M, ord=1),
    torch.cross(truth, x, dim=0),
)
