"""Shapes."""

from ops_table.base import given, integers, real, row

# ----------------------------------------------------------------------------------------------- shapes
row("reshape", lambda m, x: m.reshape(x, (3, 2)), real(2, 3))
row(
    "reshape -1",
    lambda m, x: (x.reshape(-1), x.reshape(3, -1), x.reshape((1, 6)), x.reshape([2, 3])),
    real(2, 3),
)
row("reshape empty", lambda m, x: x.reshape(3, 0), real(0, 2))
row("reshape 0-d", lambda m, x: (x.reshape(1, 1), x.reshape(())), real())
row("reshape transposed", lambda m, x: x.t().reshape(6), real(2, 3))
row("reshape misfit", lambda m, x: x.reshape(4), real(2, 3))
row("reshape two unknowns", lambda m, x: x.reshape(-1, -1), real(2, 3))
row("reshape ambiguous", lambda m, x: x.reshape(0, -1), real(0, 3))
row("view", lambda m, x: (x.view(6), x.view(-1, 2), x.view((1, 2, 3))), real(2, 3), dense=True)
row("view transposed", lambda m, x: x.t().view(6), real(2, 3))
row("view_as", lambda m, x, y: (x.view_as(y), x.reshape_as(y)), real(2, 3), real(3, 2), dense=True)
row(
    "flatten",
    lambda m, x: (m.flatten(x), x.flatten(1), x.flatten(0, 1), x.flatten(-2, -1), x.flatten(1, 1)),
    real(2, 3, 2),
)
row("flatten 0-d", lambda m, x: m.flatten(x), real())
row("flatten backwards", lambda m, x: x.flatten(2, 1), real(2, 3, 2))
row("permute", lambda m, x: (m.permute(x, (2, 0, 1)), x.permute(0, -1, 1)), real(2, 3, 4))
row("permute misfit", lambda m, x: x.permute(0, 1), real(2, 3, 4))
row("permute repeated", lambda m, x: x.permute(0, 0, 1), real(2, 3, 4))
row("transpose", lambda m, x: (m.transpose(x, 0, 1), x.transpose(-1, 0)), real(2, 3, 4))
row("transpose outside", lambda m, x: x.transpose(0, 3), real(2, 3, 4))
row("t", lambda m, x: (m.t(x), x.t()), real(2, 3))
row("t vector", lambda m, x: x.t(), real(3))
row("t cube", lambda m, x: x.t(), real(2, 3, 4))
row("T", lambda m, x: x.T, real(2, 3))
row("mT", lambda m, x: x.mT, real(2, 3, 4))
row("squeeze", lambda m, x: m.squeeze(x), real(1, 3, 1))
row("squeeze dim", lambda m, x: (x.squeeze(0), x.squeeze(-1), x.squeeze(1)), real(1, 3, 1))
row("squeeze dims", lambda m, x: x.squeeze((0, 1)), real(1, 3, 1))
row("squeeze outside", lambda m, x: x.squeeze(3), real(1, 3, 1))
row("unsqueeze", lambda m, x: (m.unsqueeze(x, 0), x.unsqueeze(-1), x.unsqueeze(1)), real(2, 3))
row("unsqueeze outside", lambda m, x: x.unsqueeze(3), real(2, 3))
row("expand", lambda m, x: (x.expand(2, 3), x.expand(4, 2, 3), x.expand(-1, 3), x.expand((2, 1))), real(2, 1))
row("expand 0-d", lambda m, x: x.expand(2, 2), real())
row("expand_as", lambda m, x, y: x.expand_as(y), real(3), real(2, 3))
row("expand misfit", lambda m, x: x.expand(2, 4), real(2, 3))
row("expand fewer", lambda m, x: x.expand(3), real(2, 3))
row("expand -1 leading", lambda m, x: x.expand(-1, 2, 3), real(2, 3))
row("broadcast_tensors", lambda m, a, b: m.broadcast_tensors(a, b), real(2, 1), real(3))
row("broadcast_shapes", lambda m, x: x.expand(m.broadcast_shapes((2, 1), (3,), (1, 1))), real(3))
row("broadcast_shapes misfit", lambda m, x: m.broadcast_shapes((2,), (3,)), real(3))
row("cat", lambda m, a, b: m.cat([a, b]), real(2, 3), real(1, 3))
row("cat dim", lambda m, a, b: m.cat((a, b, a), dim=-1), real(2, 3), real(2, 1))
row("cat empty", lambda m, a, b: m.cat([a, b], 1), real(2, 0), real(2, 1))
row("cat legacy empty", lambda m, a, b: m.cat([a.detach(), b]), real(0), real(2, 3))
row("cat dtypes", lambda m, a, b: m.cat([a, b]), real(2), integers(0, 5, 3))
row("cat ints", lambda m, a, b: m.concat([a, b]), given([1, 2], "uint8"), integers(0, 5, 3))
row("cat one", lambda m, a: m.cat([a]), real(2, 3))
row("cat misfit", lambda m, a, b: m.cat([a, b]), real(2, 3), real(2, 2))
row("cat ranks", lambda m, a, b: m.cat([a, b]), real(2, 3), real(2))
row("cat 0-d", lambda m, a: m.cat([a, a]), real())
row("cat nothing", lambda m, a: m.cat([]), real())
row("concat", lambda m, a, b: m.concat([a, b], dim=1), real(2, 3), real(2, 1))
row(
    "stack",
    lambda m, a, b: (m.stack([a, b]), m.stack((a, b), dim=1), m.stack([a, b], -1)),
    real(2, 3),
    real(2, 3),
)
row("stack 0-d", lambda m, a, b: m.stack([a, b]), real(), real())
row("stack dtypes", lambda m, a, b: m.stack([a, b]), real(3), integers(0, 5, 3))
row("stack misfit", lambda m, a, b: m.stack([a, b]), real(2, 3), real(2))
row("stack nothing", lambda m, a: m.stack([]), real())
row("split", lambda m, x: m.split(x, 2), real(5, 2))
row("split dim", lambda m, x: (*x.split(2, dim=1), *x.split([1, 3], -1)), real(2, 4))
row("split sum", lambda m, x: [part.sum() * i for i, part in enumerate(x.split(2), 1)], real(5, 2))
row("split misfit", lambda m, x: x.split([1, 1]), real(5, 2))
row("chunk", lambda m, x: (*m.chunk(x, 2), *x.chunk(4), *x.chunk(9, 1)), real(5, 2))
row("chunk none", lambda m, x: x.chunk(0), real(5, 2))
row("unbind", lambda m, x: (*m.unbind(x), *x.unbind(1)), real(2, 3))
row("narrow", lambda m, x: (m.narrow(x, 0, 1, 2), x.narrow(1, 0, 1), x.narrow(-1, -1, 1)), real(3, 2))
row("narrow outside", lambda m, x: x.narrow(0, 2, 2), real(3, 2))
row("contiguous", lambda m, x: x.t().contiguous() * 1, real(2, 3))
row("iteration", lambda m, x: [part * i for i, part in enumerate(x)], real(3, 2), uses=["__iter__"])
