"""Sums, extremes, statistics and orders along dimensions."""

import torch

torch.manual_seed(0)
x = torch.randn(3, 4)
print(x.sum(), x.sum(0), x.sum(dim=1, keepdim=True), sep="\n")
print(x.mean(1), x.std(), x.var(0, unbiased=False), torch.median(x), sep="\n")
print(x.max(), x.max(dim=1), x.argmax(), x.argmin(1), sep="\n")
print(torch.sort(x, dim=1, descending=True))
print(torch.topk(x, 2))
print(x.cumsum(0), x.cumprod(1), sep="\n")
print(torch.logsumexp(x, 1), torch.prod(x), torch.norm(x), x.norm(p=1, dim=0), sep="\n")
print((x > 0).all(), (x > 0).any(1), torch.count_nonzero(x > 0))
print(torch.unique(torch.tensor([3, 1, 2, 3, 1]), return_counts=True))
print(torch.bincount(torch.tensor([0, 1, 1, 3])), torch.histc(x, 4, -2, 2))
print(torch.quantile(x, 0.5), torch.quantile(x, torch.tensor([0.25, 0.75]), dim=1))
print(torch.var_mean(x, 1), torch.aminmax(x))
print(torch.kthvalue(x, 2, 1), torch.mode(torch.tensor([1, 2, 2, 3])))
print(torch.cummax(x, 1).indices, torch.searchsorted(torch.tensor([1, 3, 5]), torch.tensor([2, 5])))
print(torch.nansum(torch.tensor([1.0, float("nan"), 2.0])), torch.nanmean(torch.tensor([1.0, float("nan")])))
