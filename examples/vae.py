"""Handwritten digits from a normal distribution: a variational autoencoder, with BCELoss and a KL divergence.

Runs on minigrad, and with --backend torch on torch; both print the same numbers.
"""

import argparse
import importlib

from sklearn.datasets import load_digits

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--backend", choices=["minigrad", "torch"], default="minigrad")
parser.add_argument("--epochs", type=int, default=12)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch = importlib.import_module(args.backend)
nn = importlib.import_module(f"{args.backend}.nn")
F = importlib.import_module(f"{args.backend}.nn.functional")
data = importlib.import_module(f"{args.backend}.utils.data")

x = torch.tensor(load_digits().data / 16, dtype=torch.float32)
x_train, x_test = x[:1500], x[1500:]


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.mean, self.log_var = nn.Linear(64, 32), nn.Linear(32, 4), nn.Linear(32, 4)
        self.decoder = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 64), nn.Sigmoid())

    def forward(self, x):
        h = F.relu(self.hidden(x))
        mean, log_var = self.mean(h), self.log_var(h)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        return self.decoder(z), mean, log_var


def losses(x, again, mean, log_var):
    """How badly the images are drawn, and how far the codes are from a standard normal distribution."""
    drawing = F.binary_cross_entropy(again, x, reduction="sum")
    divergence = -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())
    return drawing, divergence


torch.manual_seed(args.seed)
model = VAE()
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
loader = data.DataLoader(data.TensorDataset(x_train), batch_size=64, shuffle=True)

for epoch in range(1, args.epochs + 1):
    total = [0.0, 0.0]
    for (inputs,) in loader:
        optimizer.zero_grad()
        drawing, divergence = losses(inputs, *model(inputs))
        (drawing + divergence).backward()
        optimizer.step()
        total = [total[0] + drawing.item(), total[1] + divergence.item()]
    with torch.no_grad():
        held_out = sum(losses(x_test, *model(x_test))).item() / len(x_test)
    drawing, divergence = (value / len(x_train) for value in total)
    print(f"epoch {epoch:2d}  BCE {drawing:.3f}  KL {divergence:.3f}  held out {held_out:.3f}")

with torch.no_grad():
    made = model.decoder(torch.randn(3, 4)).reshape(3, 8, 8)
for row in range(8):
    print("  ".join("".join(" .:oO@"[int(5 * v + 0.5)] for v in image[row].tolist()) for image in made))
