"""Handwritten digits: a task of ten classes on real images, with CrossEntropyLoss.

Runs on minigrad, and with --backend torch on torch; both print the same numbers.
"""

import argparse
import importlib

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--backend", choices=["minigrad", "torch"], default="minigrad")
parser.add_argument("--epochs", type=int, default=15)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch = importlib.import_module(args.backend)
nn = importlib.import_module(f"{args.backend}.nn")
data = importlib.import_module(f"{args.backend}.utils.data")

x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=0, stratify=y)
scaler = StandardScaler().fit(x_train)
x_train = torch.tensor(scaler.transform(x_train), dtype=torch.float32)
x_test = torch.tensor(scaler.transform(x_test), dtype=torch.float32)
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)

torch.manual_seed(args.seed)
model = nn.Sequential(
    nn.Linear(64, 64),
    nn.ReLU(),
    nn.Linear(64, 10),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
loader = data.DataLoader(data.TensorDataset(x_train, y_train), batch_size=64, shuffle=True)

for epoch in range(1, args.epochs + 1):
    total, correct = 0.0, 0
    for inputs, target in loader:
        optimizer.zero_grad()
        logits = model(inputs)
        loss = criterion(logits, target)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(target)
        correct += (logits.argmax(dim=1) == target).sum().item()
    with torch.no_grad():
        logits = model(x_test)
        held_out = (logits.argmax(dim=1) == y_test).float().mean().item()
    total, correct = total / len(y_train), correct / len(y_train)
    print(f"epoch {epoch:2d}  loss {total:.4f}  accuracy {correct:.4f}  held out {held_out:.4f}")
