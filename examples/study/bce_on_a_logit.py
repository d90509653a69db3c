"""What binary cross entropy does to a logit.

The loss of one sample with logit x and target y is -(y log σ(x) + (1 - y) log(1 - σ(x))). Its gradient is
as simple as it gets: σ(x) - y, the predicted probability minus the target.
"""

import minigrad as torch
from minigrad import study
from minigrad.nn import functional as F

logits = torch.tensor([-8.0, -2.0, -0.5, 0.0, 0.5, 2.0, 8.0])

print("  logit   p=σ(x)   target 1: loss  gradient   target 0: loss  gradient")
columns = []
for target in (1.0, 0.0):
    x = logits.clone().requires_grad_()
    loss = F.binary_cross_entropy_with_logits(x, torch.full_like(x, target), reduction="none")
    loss.sum().backward()  # each sample has its own loss, so this gives each its own gradient
    columns.append((loss.detach(), x.grad))
for i, x in enumerate(logits):
    cells = "".join(f" {loss[i]:16.4f} {slope[i]:9.4f}" for loss, slope in columns)
    print(f"{x:7.1f} {torch.sigmoid(x):8.4f}{cells}")

# Three things to see in the table:
# 1. The gradient is σ(x) - y: between -1 and 1, however wrong the logit is.
for target, (_, slope) in zip((1.0, 0.0), columns, strict=True):
    assert torch.allclose(slope, torch.sigmoid(logits) - target, atol=1e-6)
# 2. A confident mistake costs about |x|: the loss grows like a line, not like a square.
print(f"\nloss of a sample of class 1 at x = -8: {columns[0][0][0]:.4f}, about 8")
# 3. A confident right answer costs nearly nothing, and nearly nothing pulls at it.
print(f"at x = 8: loss {columns[0][0][-1]:.1e}, gradient {columns[0][1][-1]:.1e}\n")

# The mean over a batch divides every gradient by the number of samples:
x = logits.clone().requires_grad_()
target = torch.tensor([0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
loss = F.binary_cross_entropy_with_logits(x, target)
explanation = study.explain(loss, torch=False)
print(explanation.divisor)
loss.backward()
by_hand = torch.sigmoid(x[6]) / 7
print(f"gradient of sample 6 (logit 8, target 0): {x.grad[6]:.4f} = (σ(8) - 0) / 7 = {by_hand:.4f}")
