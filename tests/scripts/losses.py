"""Losses, as modules and as functions, with their reductions."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
input, target = torch.randn(3, 5, requires_grad=True), torch.randn(3, 5)
for name in ("L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss"):
    loss = getattr(nn, name)()
    print(loss, loss(input, target))
target = torch.tensor([1, 0, 4])
print(nn.CrossEntropyLoss()(input, target), nn.NLLLoss()(nn.LogSoftmax(dim=1)(input), target))
print(F.cross_entropy(input, target, reduction="none"))
print(F.cross_entropy(input, torch.softmax(torch.randn(3, 5), 1), label_smoothing=0.1))
print(F.cross_entropy(input, target, weight=torch.arange(1.0, 6.0), ignore_index=0))
binary = torch.empty(3, 5).random_(2)
print(
    nn.BCELoss()(torch.sigmoid(input), binary),
    nn.BCEWithLogitsLoss(pos_weight=torch.full([5], 2.0))(input, binary),
)
print(nn.KLDivLoss(reduction="batchmean")(F.log_softmax(input, 1), F.softmax(torch.rand(3, 5), 1)))
print(
    nn.PoissonNLLLoss()(input, torch.rand(3, 5)),
    nn.GaussianNLLLoss()(input, torch.randn(3, 5), torch.ones(3, 5)),
)
a, p, n = (torch.randn(4, 8, requires_grad=True) for _ in range(3))
print(nn.TripletMarginLoss(margin=1.0, p=2)(a, p, n))
print(nn.CosineEmbeddingLoss()(a, p, torch.tensor([1, -1, 1, -1])))
print(nn.MarginRankingLoss()(torch.randn(3), torch.randn(3), torch.randn(3).sign()))
print(
    nn.HingeEmbeddingLoss()(torch.randn(4), torch.tensor([1.0, -1, 1, -1])),
    nn.MultiMarginLoss()(input, target),
)
print(nn.SoftMarginLoss()(input, binary * 2 - 1), nn.MultiLabelSoftMarginLoss()(input, binary))
total = F.cross_entropy(input, target)
total.backward()
print(input.grad)
try:
    F.cross_entropy(input, torch.tensor([1, 0, 5]))
except IndexError as error:
    print(str(error).split("\n")[0])
