"""Softmax twice: the most common mistake with CrossEntropyLoss, and how to see it.

CrossEntropyLoss takes logits and contains the softmax. A model that ends in a softmax of its own hands it
numbers between 0 and 1: the loss cannot fall below log(1 + (C - 1) / e), and the gradients shrink.
"""

import math
import warnings

import minigrad as torch
from minigrad import nn, study

torch.manual_seed(0)
centres = torch.tensor([[2.0, 0.0], [-1.0, 1.7], [-1.0, -1.7]])
target = torch.arange(150) % 3
points = centres[target] + 0.6 * torch.randn(150, 2)


def train(last: list, steps: int = 300) -> tuple[float, float]:
    """The last loss and the accuracy of a model that ends in `last`."""
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 3), *last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = criterion(model(points), target)
        loss.backward()
        optimizer.step()
    return loss.item(), (model(points).argmax(1) == target).float().mean().item()


floor = math.log(1 + 2 / math.e)
print(f"the floor for 3 classes: log(1 + 2 / e) = {floor:.4f}")
for name, last in (("logits", []), ("softmax", [nn.Softmax(dim=1)])):
    loss, accuracy = train(last)
    print(f"model that gives {name:8} loss after 300 steps {loss:.4f}, accuracy {100 * accuracy:.1f} %")

# The gradients of the very same logits, with and without the softmax between:
logits = torch.tensor([[-1.0, 1.0, 0.0]], requires_grad=True)
for name, input in (("once", logits), ("twice", logits.softmax(1))):
    (gradient,) = torch.autograd.grad(nn.CrossEntropyLoss()(input, torch.tensor([0])), [logits])
    print(f"softmax {name:5} gradient of the logits {[round(g, 4) for g in gradient[0].tolist()]}")

# lint finds it, also through views, indexing and concatenation:
with warnings.catch_warnings(), study.lint() as report:
    warnings.simplefilter("ignore")
    train([nn.Softmax(dim=1)], steps=2)
print(f"\n{report.findings[0]}")
