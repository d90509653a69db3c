"""The three means: what "mean" divides by.

`reduction="mean"` divides by the number of samples, by the sum of their weights, or by the number of
samples that count, and the mean of batch means is none of them. `study.explain` says which it was.
"""

import minigrad as torch
from minigrad import study
from minigrad.nn import functional as F

torch.manual_seed(0)
logits = torch.randn(6, 3, requires_grad=True)
target = torch.tensor([0, 0, 0, 0, 1, 2])
weight = torch.tensor([1.0, 5.0, 5.0])
each = F.cross_entropy(logits, target, reduction="none").detach()
print("loss of each sample:", [round(value, 4) for value in each.tolist()])


def show(title: str, loss, by_hand) -> None:
    """A loss, what it divides by, and the same by hand."""
    print(f"\n{title}: {loss.item():.4f}, by hand {by_hand.item():.4f}")
    print("  " + study.explain(loss, torch=False).divisor)
    assert torch.allclose(loss, by_hand)


show("plain", F.cross_entropy(logits, target), each.sum() / 6)

w = weight[target]
show("weighted by class", F.cross_entropy(logits, target, weight=weight), (w * each).sum() / w.sum())

ignored = target.clone()
ignored[:2] = -100
show("two samples ignored", F.cross_entropy(logits, ignored), each[2:].sum() / 4)

# The weighted mean divides by the weights, so weights that are all doubled change nothing:
once, doubled = (F.cross_entropy(logits, target, weight=k * weight) for k in (1, 2))
assert torch.allclose(once, doubled)

# A mean of batch means is another number as soon as the batches differ in size:
batches = [slice(0, 4), slice(4, 6)]
means = [F.cross_entropy(logits[b], target[b]).item() for b in batches]
print(f"\nbatches of 4 and 2: means {means[0]:.4f} and {means[1]:.4f}")
print(f"  mean of the means  {sum(means) / 2:.4f}")
print(f"  mean over samples  {(4 * means[0] + 2 * means[1]) / 6:.4f}  <- weigh each by its samples")

# For a gradient over several batches to be that of all samples, divide by the number of all samples:
logits.grad = None
for b in batches:
    (F.cross_entropy(logits[b], target[b], reduction="sum") / 6).backward()
(whole,) = torch.autograd.grad(F.cross_entropy(logits, target), [logits])
print("accumulated gradient = gradient of the whole:", torch.allclose(logits.grad, whole))
