"""Metric learning: pairs pulled together and pushed apart, triplets, nearest neighbours."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
centers = torch.randn(3, 10) * 1.5
labels = torch.arange(3).repeat(20)
points = centers[labels] + torch.randn(60, 10)
net = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
triplet = nn.TripletMarginLoss(margin=1.0)
for epoch in range(20):
    order = torch.randperm(60)
    anchor, other = points, points[order]
    same = labels == labels[order]
    a, b = net(anchor), net(other)
    distance = F.pairwise_distance(a, b)
    loss = torch.where(same, distance**2, torch.clamp(1 - distance, min=0) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 5 == 4:
        print(f"{epoch + 1} contrastive {loss.item():.4f} same {same.sum().item()}")
with torch.no_grad():
    embedded = F.normalize(net(points), dim=1)
    similarity = embedded @ embedded.T
    similarity.fill_diagonal_(-2)
    nearest = similarity.argmax(1)
print("nearest neighbour of the same class:", (labels[nearest] == labels).float().mean())
positive = points.view(20, 3, 10).roll(1, 0).reshape(60, 10)
negative = points.roll(1, 0)
print(triplet(net(points), net(positive), net(negative)))
print(F.cosine_similarity(net(points[:3]), net(points[3:6])))
