"""Handwritten digits placed so that neighbours are alike: metric learning with TripletMarginLoss.

Runs on minigrad, and with --backend torch on torch; both print the same numbers.
"""

import argparse
import importlib

from sklearn.datasets import load_digits

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--backend", choices=["minigrad", "torch"], default="minigrad")
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch = importlib.import_module(args.backend)
nn = importlib.import_module(f"{args.backend}.nn")
F = importlib.import_module(f"{args.backend}.nn.functional")

digits = load_digits()
x, y = torch.tensor(digits.data / 16), torch.tensor(digits.target)
x_train, y_train, x_test, y_test = x[:1200], y[:1200], x[1200:], y[1200:]
places = [torch.arange(1200)[y_train == label] for label in range(10)]


def triplets(labels):
    """For each label the place of an image that has it and of one that has another."""
    others = (labels + torch.randint(1, 10, (len(labels),))) % 10
    draws = torch.randint(0, 10**6, (2, len(labels)))
    chosen = [[], []]
    for found, classes, draw in zip(chosen, (labels, others), draws, strict=True):
        for label, number in zip(classes.tolist(), draw.tolist(), strict=True):
            found.append(places[label][number % len(places[label])].item())
    return chosen


torch.manual_seed(args.seed)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 8)).double()
criterion = nn.TripletMarginLoss(margin=0.5)
optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)

for epoch in range(1, args.epochs + 1):
    total = 0.0
    for chosen in torch.randperm(1200).split(60):
        positive, negative = triplets(y_train[chosen])
        anchors, alike, unlike = (F.normalize(model(x_train[i])) for i in (chosen, positive, negative))
        loss = criterion(anchors, alike, unlike)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(chosen)
    with torch.no_grad():
        similar = F.normalize(model(x_test)) @ F.normalize(model(x_train)).T
        nearest = y_train[similar.argmax(dim=1)]
    held_out = (nearest == y_test).float().mean().item()
    print(f"epoch {epoch:2d}  loss {total / 1200:.4f}  held out: nearest neighbour {held_out:.4f}")
