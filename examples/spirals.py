"""Three spiral arms: a task of three classes, with CrossEntropyLoss.

Runs on minigrad, and with --backend torch on torch; both print the same numbers.
"""

import argparse
import importlib

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--backend", choices=["minigrad", "torch"], default="minigrad")
parser.add_argument("--epochs", type=int, default=30)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch = importlib.import_module(args.backend)
nn = importlib.import_module(f"{args.backend}.nn")
data = importlib.import_module(f"{args.backend}.utils.data")

y = np.repeat([0, 1, 2], 300)
radius = np.tile(np.linspace(0.1, 1.0, 300), 3)
angle = 2 * np.pi * (y / 3 + 1.25 * radius)
x = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
x += np.random.default_rng(0).normal(0.0, 0.02, x.shape)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=0, stratify=y)
scaler = StandardScaler().fit(x_train)
x_train = torch.tensor(scaler.transform(x_train), dtype=torch.float32)
x_test = torch.tensor(scaler.transform(x_test), dtype=torch.float32)
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)

torch.manual_seed(args.seed)
model = nn.Sequential(
    nn.Linear(2, 64),
    nn.Tanh(),
    nn.Linear(64, 64),
    nn.Tanh(),
    nn.Linear(64, 3),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
loader = data.DataLoader(data.TensorDataset(x_train, y_train), batch_size=32, shuffle=True)

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
