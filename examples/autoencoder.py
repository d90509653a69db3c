"""Handwritten digits squeezed into eight numbers and drawn again: an autoencoder with MSELoss.

Runs on minigrad, and with --backend torch on torch; both print the same numbers.
"""

import argparse
import importlib

from sklearn.datasets import load_digits

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--backend", choices=["minigrad", "torch"], default="minigrad")
parser.add_argument("--epochs", type=int, default=15)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch = importlib.import_module(args.backend)
nn = importlib.import_module(f"{args.backend}.nn")
data = importlib.import_module(f"{args.backend}.utils.data")

x = torch.tensor(load_digits().data / 16, dtype=torch.float32)
x_train, x_test = x[:1500], x[1500:]


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8))
        self.decoder = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 64), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


torch.manual_seed(args.seed)
model = Autoencoder()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
loader = data.DataLoader(data.TensorDataset(x_train), batch_size=64, shuffle=True)

for epoch in range(1, args.epochs + 1):
    total = 0.0
    for (inputs,) in loader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), inputs)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(inputs)
    with torch.no_grad():
        held_out = criterion(model(x_test), x_test).item()
    print(f"epoch {epoch:2d}  loss {total / len(x_train):.5f}  held out {held_out:.5f}")

with torch.no_grad():
    drawn = model(x_test[:1]).reshape(8, 8)
for row, again in zip(x_test[0].reshape(8, 8).tolist(), drawn.tolist(), strict=True):
    print("  ".join("".join(" .:oO@"[int(5 * v + 0.5)] for v in values) for values in (row, again)))
