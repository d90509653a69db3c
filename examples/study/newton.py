"""Second derivatives and Newton: logistic regression in a handful of steps.

`create_graph=True` records the gradient itself, so it can be differentiated again. With the Hessian
Newton's method knows how far to go: w ← w - H⁻¹ g.
"""

import minigrad as torch
from minigrad.nn import functional as F

torch.manual_seed(0)
x = torch.cat([torch.randn(100, 2), torch.ones(100, 1)], dim=1)  # the last column is for the bias
truth = torch.tensor([1.5, -2.0, 0.5])
y = (torch.sigmoid(x @ truth) > torch.rand(100)).float()


def loss_of(w):
    """Mean cross entropy, with a little decay so that there is exactly one minimum."""
    return F.binary_cross_entropy_with_logits(x @ w, y) + 1e-3 * (w * w).sum()


def gradient_and_hessian(w):
    """First derivatives, and the second ones row by row."""
    (g,) = torch.autograd.grad(loss_of(w), [w], create_graph=True)
    rows = [torch.autograd.grad(g[i], [w], retain_graph=True)[0] for i in range(3)]
    return g.detach(), torch.stack(rows)


w = torch.zeros(3, requires_grad=True)
g, hessian = gradient_and_hessian(w)
print("Hessian at 0, by differentiating twice:")
print(hessian)
# By hand: xᵀ diag(p (1 - p)) x / n, plus the decay's. At w = 0 every p is one half.
p = torch.sigmoid(x @ w).detach()
by_hand = (x * (p * (1 - p)).unsqueeze(1)).T @ x / 100 + 2e-3 * torch.eye(3)
print("the same by hand:", torch.allclose(hessian, by_hand, atol=1e-6))

print("\nNewton            loss    |gradient|")
for step in range(7):
    g, hessian = gradient_and_hessian(w)
    print(f"step {step} {loss_of(w).item():15.9f} {g.norm().item():13.2e}")
    with torch.no_grad():
        w -= torch.linalg.solve(hessian, g)
best = loss_of(w).item()

w2 = torch.zeros(3, requires_grad=True)
for step in range(1, 2001):
    (g,) = torch.autograd.grad(loss_of(w2), [w2])
    with torch.no_grad():
        w2 -= 0.5 * g
    if step in (6, 100, 2000):
        loss = loss_of(w2).item()
        print(f"gradient descent, {step:4} steps {loss:.9f}, {loss - best:.1e} above")
