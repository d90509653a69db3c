"""Elements picked and put: slices, masks, gather and scatter; views that share memory."""

import torch

x = torch.arange(12.0).reshape(3, 4)
print(x[1], x[:, 1], x[1:, ::2], x[-1, -1], x[..., None].shape)
print(x[x > 5], x[[0, 2]], x[torch.tensor([0, 2]), torch.tensor([1, 3])])
print(torch.gather(x, 1, torch.tensor([[0], [2], [3]])), x.index_select(1, torch.tensor([3, 0])))
print(torch.zeros(3, 5).scatter_(1, torch.tensor([[1], [0], [4]]), 1.0))
print(torch.zeros(3).scatter_add(0, torch.tensor([0, 1, 0]), torch.tensor([1.0, 2, 3])))
print(torch.zeros(3).index_add_(0, torch.tensor([2, 2]), torch.ones(2)))
print(torch.where(x > 5, x, torch.zeros_like(x)), x.masked_fill(x < 3, -1))
print(torch.nonzero(x > 9), torch.masked_select(x, x > 9), x.take(torch.tensor([0, 11])))
view = x.view(4, 3)
view[0, 0] = 100
print(x[0, 0], x.t().is_contiguous(), x.t().contiguous().view(-1)[:4])
print(x.unfold(1, 2, 1).shape, x.flip(0)[0], x.roll(1, 1)[0], torch.stack([x, x]).shape)
print(torch.chunk(x, 2, dim=1)[1], torch.split(x, [1, 2])[1], x.unbind(1)[0], sep="\n")
print(torch.tril(x), torch.triu(x, 1), x.diagonal(), torch.diag(torch.ones(2)), sep="\n")
print(x.repeat(1, 2).shape, x[:1].expand(2, 4), torch.arange(3).repeat_interleave(2))
print(torch.nn.functional.one_hot(torch.tensor([0, 2]), 3), torch.tensor([1, 2]).repeat(2))
print(x.permute(1, 0).stride(), x.movedim(0, 1).shape, x.unsqueeze(0).squeeze().shape)
w = torch.randn(3, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
w[[0, 0, 2]].sum().backward()
print(w.grad)
try:
    x[5]
except IndexError as error:
    print(error)
