"""Two interleaved half-moons: a binary task on one logit, with BCEWithLogitsLoss.

Runs on minigrad, and with --backend torch on torch; both print the same numbers.
"""

import argparse
import importlib

from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--backend", choices=["minigrad", "torch"], default="minigrad")
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch = importlib.import_module(args.backend)
nn = importlib.import_module(f"{args.backend}.nn")
data = importlib.import_module(f"{args.backend}.utils.data")

x, y = make_moons(1000, noise=0.1, random_state=0)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=0, stratify=y)
scaler = StandardScaler().fit(x_train)
x_train = torch.tensor(scaler.transform(x_train), dtype=torch.float32)
x_test = torch.tensor(scaler.transform(x_test), dtype=torch.float32)
y_train, y_test = torch.tensor(y_train).float(), torch.tensor(y_test).float()

torch.manual_seed(args.seed)
model = nn.Sequential(
    nn.Linear(2, 32),
    nn.Tanh(),
    nn.Linear(32, 32),
    nn.Tanh(),
    nn.Linear(32, 1),
)
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
loader = data.DataLoader(data.TensorDataset(x_train, y_train), batch_size=32, shuffle=True)

for epoch in range(1, args.epochs + 1):
    total, correct = 0.0, 0
    for inputs, target in loader:
        optimizer.zero_grad()
        logits = model(inputs).squeeze(1)
        loss = criterion(logits, target)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(target)
        correct += (torch.sigmoid(logits).round() == target).sum().item()
    with torch.no_grad():
        logits = model(x_test).squeeze(1)
        held_out = (torch.sigmoid(logits).round() == y_test).float().mean().item()
    total, correct = total / len(y_train), correct / len(y_train)
    print(f"epoch {epoch:2d}  loss {total:.4f}  accuracy {correct:.4f}  held out {held_out:.4f}")
