"""Squares and discs, found pixel by pixel: a convolutional network with NLLLoss on images of labels.

Runs on minigrad, and with --backend torch on torch; both print the same numbers.
"""

import argparse
import importlib

import numpy as np

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--backend", choices=["minigrad", "torch"], default="minigrad")
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch = importlib.import_module(args.backend)
nn = importlib.import_module(f"{args.backend}.nn")
data = importlib.import_module(f"{args.backend}.utils.data")


def drawn(count, size, rng):
    """Noisy images (count, 1, size, size), each with a square and a disc, and their labels: 0, 1 and 2."""
    rows, columns = np.mgrid[:size, :size]
    images, labels = 0.3 * rng.standard_normal((count, 1, size, size)), np.zeros((count, size, size), int)
    for image, label in zip(images, labels, strict=True):
        (top, left), (y, x) = rng.integers(0, size - 5, 2), rng.integers(3, size - 3, 2)
        label[top : top + 5, left : left + 5] = 1
        label[(rows - y) ** 2 + (columns - x) ** 2 <= 6] = 2
        image[0] += label != 0
    return torch.tensor(images), torch.tensor(labels)


rng = np.random.default_rng(0)
x_train, y_train = drawn(256, 16, rng)
x_test, y_test = drawn(64, 16, rng)

torch.manual_seed(args.seed)
model = nn.Sequential(
    nn.Conv2d(1, 8, 5, padding=2),
    nn.ReLU(),
    nn.Conv2d(8, 8, 5, padding=2),
    nn.ReLU(),
    nn.Conv2d(8, 3, 3, padding=1),
    nn.LogSoftmax(dim=1),
).double()
criterion = nn.NLLLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loader = data.DataLoader(data.TensorDataset(x_train, y_train), batch_size=32, shuffle=True)

for epoch in range(1, args.epochs + 1):
    total = 0.0
    for inputs, target in loader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), target)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(target)
    with torch.no_grad():
        found = model(x_test).argmax(dim=1)
        both = [((found == label) & (y_test == label)).sum().item() for label in range(3)]
        either = [((found == label) | (y_test == label)).sum().item() for label in range(3)]
    overlap = sum(b / e for b, e in zip(both, either, strict=True)) / 3
    print(f"epoch {epoch:2d}  loss {total / len(y_train):.4f}  held out: mean IoU {overlap:.4f}")
