"""A generator and a discriminator of numbers from a normal distribution."""

import torch
import torch.nn as nn

torch.manual_seed(0)
G = nn.Sequential(nn.Linear(4, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
D = nn.Sequential(nn.Linear(1, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1), nn.Sigmoid())
criterion = nn.BCELoss()
opt_d = torch.optim.Adam(D.parameters(), lr=0.002, betas=(0.5, 0.999))
opt_g = torch.optim.Adam(G.parameters(), lr=0.002, betas=(0.5, 0.999))
ones, zeros = torch.ones(32, 1), torch.zeros(32, 1)
for step in range(60):
    D.zero_grad()
    real = torch.normal(3.0, 0.5, (32, 1))
    err_real = criterion(D(real), ones)
    fake = G(torch.randn(32, 4))
    err_fake = criterion(D(fake.detach()), zeros)
    (err_real + err_fake).backward()
    opt_d.step()
    G.zero_grad()
    err_g = criterion(D(fake), ones)
    err_g.backward()
    opt_g.step()
    if step % 10 == 9:
        print(
            f"{step + 1:3d}  D {err_real.item() + err_fake.item():.4f}  G {err_g.item():.4f}  mean {fake.mean().item():.4f}"
        )
