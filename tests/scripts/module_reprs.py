"""How modules print, and their children, parameters and buffers by name."""

import torch
import torch.nn as nn

print(nn.Linear(20, 30, bias=False))
print(nn.Conv2d(16, 33, (3, 5), stride=(2, 1), padding=(4, 2), dilation=(3, 1)))
print(
    nn.Sequential(nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2), nn.ReLU(inplace=True), nn.MaxPool1d(2), nn.Flatten())
)
print(nn.ModuleList([nn.Linear(2, 2) for _ in range(3)]))
print(nn.ModuleDict({"act": nn.GELU(), "norm": nn.LayerNorm([2, 3])}))
print(nn.LSTM(10, 20, 2, batch_first=True, bidirectional=True), nn.GRU(3, 4), nn.RNNCell(2, 3), sep="\n")
print(nn.Embedding(10, 3, padding_idx=0), nn.Dropout(0.3), nn.GroupNorm(2, 4), nn.Softmax(dim=1), sep="\n")
print(
    nn.LeakyReLU(0.1),
    nn.ELU(),
    nn.PReLU(),
    nn.Hardtanh(-2, 2),
    nn.Softplus(),
    nn.Threshold(0.1, 20),
    sep="\n",
)
print(
    nn.AvgPool2d(3, 2), nn.AdaptiveAvgPool2d((1, 1)), nn.Bilinear(2, 3, 4), nn.Unflatten(1, (2, 3)), sep="\n"
)
print(nn.MultiheadAttention(8, 2))
print(nn.CosineSimilarity(dim=1), nn.PairwiseDistance(2), nn.CrossEntropyLoss(), nn.Identity(), sep="\n")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 3), nn.Tanh())
        self.heads = nn.ModuleList([nn.Linear(3, 1), nn.Linear(3, 2)])
        self.scale = nn.Parameter(torch.ones(1))
        self.register_buffer("mean", torch.zeros(3))

    def forward(self, x):
        return [head(self.body(x) * self.scale - self.mean) for head in self.heads]


net = Net()
print(net)
for name, parameter in net.named_parameters():
    print(name, tuple(parameter.shape), parameter.requires_grad)
print([name for name, _ in net.named_modules()], [name for name, _ in net.named_buffers()])
print([tuple(y.shape) for y in net(torch.zeros(2, 4))], sum(p.numel() for p in net.parameters()))
print(net.get_submodule("heads.1"), net.scale)
