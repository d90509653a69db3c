"""Why BCEWithLogitsLoss, and not a sigmoid with BCELoss.

Both compute the same formula. But the sigmoid rounds: from a logit of 17 on it is exactly 1 in float32, and
its slope there is exactly 0. A sample that is confidently wrong then gets no gradient at all, just where it
needs the largest.
"""

import minigrad as torch
from minigrad.nn import functional as F

print("a sample of class 0            BCELoss(sigmoid(x))        BCEWithLogitsLoss(x)")
print("  logit  sigmoid in float32     loss     gradient          loss     gradient")
for value in (1.0, 5.0, 15.0, 20.0, 50.0, 200.0):
    rows = []
    for loss_of in (lambda x, y: F.binary_cross_entropy(x.sigmoid(), y), F.binary_cross_entropy_with_logits):
        x = torch.tensor([value], requires_grad=True)
        loss = loss_of(x, torch.zeros(1))
        loss.backward()
        rows.append((loss.item(), x.grad.item()))
    (a, da), (b, db) = rows
    p = torch.sigmoid(torch.tensor(value)).item()
    print(f"{value:7.0f}  {p:.10f} {a:14.4f} {da:12.4g} {b:13.4f} {db:12.4g}")

# From 20 on BCELoss gives 100 (it clamps the logarithm at -100, else it were infinite) and the gradient 0:
# this sample is never learned. BCEWithLogitsLoss uses log σ(x) = -softplus(-x), and its gradient is σ(x) - y.
x = torch.tensor([50.0], requires_grad=True)
F.binary_cross_entropy(x.sigmoid(), torch.zeros(1)).backward()
assert x.grad.item() == 0.0

# What that means for learning: start all logits at 20, with class 0 right.
for name, loss_of in (
    ("BCELoss", lambda x, y: F.binary_cross_entropy(x.sigmoid(), y)),
    ("BCEWithLogitsLoss", F.binary_cross_entropy_with_logits),
):
    x = torch.full((4,), 20.0, requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=4.0)
    for _ in range(40):
        optimizer.zero_grad()
        loss_of(x, torch.zeros(4)).backward()
        optimizer.step()
    print(f"{name:18} after 40 steps the logit is {x[0].item():7.3f}")
