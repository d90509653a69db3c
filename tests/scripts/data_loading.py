"""Datasets of one's own, loaders that shuffle and batch, splits, samplers."""

import torch
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset, WeightedRandomSampler, random_split


class Squares(Dataset):
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return torch.tensor([float(i)]), i * i


torch.manual_seed(0)
dataset = Squares(10)
for x, y in DataLoader(dataset, batch_size=4, shuffle=True):
    print(x.squeeze(1), y)
train, test = random_split(dataset, [7, 3], generator=torch.Generator().manual_seed(42))
print(len(train), [int(x) for x, _ in test])
loader = DataLoader(TensorDataset(torch.arange(6).view(6, 1), torch.ones(6)), batch_size=4, drop_last=True)
print(len(loader), next(iter(loader)))
print([y for _, y in Subset(dataset, [1, 3])])
sampler = WeightedRandomSampler([0.1, 0.1, 0.8], 6)
print(list(sampler))


def collate(batch):
    return torch.stack([x for x, _ in batch]).sum(0), [y for _, y in batch]


print(list(DataLoader(dataset, batch_size=5, collate_fn=collate)))
