"""Label smoothing: a target that can be reached.

With one-hot targets the cross entropy falls as long as the logits grow: it has no minimum. Smoothing moves
a share ε of the target to all classes; then there is a best logit gap, and a floor that the loss cannot go
below.
"""

import math

import minigrad as torch
from minigrad.nn import functional as F

classes, epsilon = 5, 0.1
target = torch.tensor([0])
right, others = 1 - epsilon + epsilon / classes, epsilon / classes
gap = math.log(right / others)  # between the right logit and the others, where softmax = smoothed target
floor = -(right * math.log(right) + (classes - 1) * others * math.log(others))
print(f"{classes} classes, ε = {epsilon}: target {right:.2f} for the right one, {others:.2f} for the others")
print(f"best gap of the logits log({right:.2f} / {others:.2f}) = {gap:.4f}, loss there {floor:.4f}\n")

print("   gap   one-hot: loss  gradient   smoothed: loss  gradient of the right logit")
for value in (0.0, 2.0, gap, 6.0, 10.0):
    cells = []
    for smoothing in (0.0, epsilon):
        logits = torch.zeros(1, classes)
        logits[0, 0] = value
        logits.requires_grad_()
        loss = F.cross_entropy(logits, target, label_smoothing=smoothing)
        loss.backward()
        cells.append((loss.item(), logits.grad[0, 0].item()))
    (a, da), (b, db) = cells
    print(f"{value:6.2f} {a:15.4f} {da:9.4f} {b:16.4f} {db:9.4f}")

# Below the gap both push the right logit up (negative gradient). Above it smoothing pulls it back; one-hot
# targets never do.
for smoothing in (0.0, epsilon):
    logits = torch.zeros(1, classes, requires_grad=True)
    optimizer = torch.optim.SGD([logits], lr=1.0)
    for _ in range(2000):
        optimizer.zero_grad()
        F.cross_entropy(logits, target, label_smoothing=smoothing).backward()
        optimizer.step()
    reached = (logits[0, 0] - logits[0, 1]).item()
    growing = "" if smoothing else ", and growing"
    print(f"\nafter 2,000 steps with ε = {smoothing}: gap {reached:.4f}{growing}")
