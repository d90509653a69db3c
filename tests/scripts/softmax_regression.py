"""Multinomial logistic regression, with negative log likelihood written by hand, refactored to modules."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(7)
centers = torch.randn(4, 6) * 2
y_train = torch.randint(0, 4, (256,))
x_train = centers[y_train] + torch.randn(256, 6)
print(x_train.shape, y_train.min(), y_train.max())
weights = torch.randn(6, 4) / 6**0.5
weights.requires_grad_()
bias = torch.zeros(4, requires_grad=True)


def log_softmax(x):
    return x - x.exp().sum(-1).log().unsqueeze(-1)


def model(xb):
    return log_softmax(xb @ weights + bias)


def nll(input, target):
    return -input[range(target.shape[0]), target].mean()


def accuracy(out, yb):
    return (torch.argmax(out, dim=1) == yb).float().mean()


preds = model(x_train[:64])
print(preds[0], preds.shape)
print(nll(preds, y_train[:64]))
print(accuracy(preds, y_train[:64]))
print(F.cross_entropy(x_train @ weights + bias, y_train))
for _ in range(3):
    for i in range(4):
        xb, yb = x_train[i * 64 : i * 64 + 64], y_train[i * 64 : i * 64 + 64]
        loss = nll(model(xb), yb)
        loss.backward()
        with torch.no_grad():
            weights -= weights.grad * 0.5
            bias -= bias.grad * 0.5
            weights.grad.zero_()
            bias.grad.zero_()
    print(f"{loss.item():.4f}", accuracy(model(x_train), y_train))


class Logistic(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(6, 4)

    def forward(self, xb):
        return self.lin(xb)


net = Logistic()
opt = torch.optim.SGD(net.parameters(), lr=0.5)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)
for epoch in range(3):
    net.train()
    for xb, yb in loader:
        loss = F.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
        opt.zero_grad()
    net.eval()
    with torch.no_grad():
        print(epoch, f"{sum(F.cross_entropy(net(xb), yb) for xb, yb in loader) / len(loader):.4f}")
