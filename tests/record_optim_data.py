"""Records torch's optimisers and data order in data/optim_data.json (needs torch).

Run it as `python tests/record_optim_data.py`. The tests run the same functions on minigrad, and
on torch itself where it is installed: `torch` is the module to be run in all of them.
"""

import itertools
import json
from pathlib import Path

import numpy as np

DATA = Path(__file__).with_name("data") / "optim_data.json"
SHAPES = ((3, 2), (4,), ())
STEPS = 50


def _grid(**options):
    for values in itertools.product(*options.values()):
        yield dict(zip(options, values, strict=True))


def _is_valid(options):
    if options["nesterov"]:
        return options["momentum"] > 0 and options["dampening"] == 0
    return options["momentum"] > 0 or options["dampening"] == 0


_SGD = _grid(
    lr=[0.05],
    momentum=[0, 0.9],
    dampening=[0, 0.3],
    weight_decay=[0, 0.1],
    nesterov=[False, True],
    maximize=[False, True],
)
_ADAM = _grid(weight_decay=[0, 0.1], amsgrad=[False, True], maximize=[False, True])
CASES = [
    *(("SGD", options) for options in _SGD if _is_valid(options)),
    *((name, {"lr": 0.02, **options}) for options in _ADAM for name in ("Adam", "AdamW")),
    ("SGD", {}),
    ("Adam", {}),
    ("AdamW", {}),
    ("Adam", {"betas": (0.5, 0.9), "eps": 0.1}),
    ("AdamW", {"betas": (0.0, 0.0), "eps": 1e-3, "amsgrad": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.2, "decoupled_weight_decay": True}),
]


def train(torch, optim, name, options, dtype, steps=STEPS):
    """The parameters, flat, after steps with given gradients and a learning rate that falls."""
    numbers = np.random.RandomState(len(name) + len(options))
    start = [np.array(numbers.standard_normal(shape), dtype) for shape in SHAPES]
    params = [torch.from_numpy(array).requires_grad_() for array in start]
    optimizer = getattr(optim, name)(params, **options)
    for _ in range(steps):
        optimizer.zero_grad()
        for param, shape in zip(params, SHAPES, strict=True):
            gradient = np.array(numbers.standard_normal(shape) * 0.5 + 0.2, dtype)
            param.grad = torch.from_numpy(gradient)
        optimizer.step()
        optimizer.param_groups[0]["lr"] *= 0.98
    return np.concatenate([param.detach().numpy().ravel() for param in params])


LOADERS = [
    *_grid(
        seed=[0, 12345],
        size=[12, 23],
        kind=["shuffle", "samples"],
        batch=[4, 5],
        drop_last=[False, True],
        own=[False, True],
    ),
    *_grid(
        seed=[1],
        size=[23, 38],
        kind=["replacement", "more", "fewer", "subset", "split", "sequential", "single", "break"],
        batch=[4, 19],
        drop_last=[False],
        own=[False, True],
    ),
]


def orders(torch, data, *, seed, size, kind, batch, drop_last, own):
    """The batches of three epochs, with draws from the random streams in between."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1) if own else None
    dataset = data.TensorDataset(torch.arange(size), torch.arange(size) * 10)
    if kind == "samples":  # one sample after the other
        dataset = [(index, index * 10) for index in range(size)]
    if kind == "split":
        whole = {"generator": generator} if own else {}
        dataset, _ = data.random_split(dataset, [0.7, 0.3], **whole)
    options = {"batch_size": batch, "drop_last": drop_last, "generator": generator}
    samplers = {
        "replacement": lambda: data.RandomSampler(dataset, True, generator=generator),
        "more": lambda: data.RandomSampler(dataset, False, 2 * size + 3, generator),
        "fewer": lambda: data.RandomSampler(dataset, False, size - 3, generator),
        "subset": lambda: data.SubsetRandomSampler(range(2, size, 2), generator),
    }
    if kind in samplers:
        options["sampler"] = samplers[kind]()
    elif kind == "single":
        options.update(batch_size=None, shuffle=True)
    else:
        options["shuffle"] = kind != "sequential"
    loader = data.DataLoader(dataset, **options)
    seen = []
    for _ in range(3):
        for number, (x, y) in enumerate(loader):
            assert (y == x * 10).all()
            seen.append(x.tolist())
            if number == 1:
                seen.append(torch.randint(0, 1000, (2,)).tolist())
                if kind == "break":
                    break
        seen.append(torch.randint(0, 1000, (2,)).tolist())
        if own:
            seen.append(torch.randint(0, 1000, (2,), generator=generator).tolist())
    return seen


def key(values):
    """What identifies a case in the file."""
    return json.dumps(values)


def digits(values):
    """Numbers as their shortest exact text, so that the file stays small."""
    return [float(str(value)) for value in values]


def record():
    """Run everything on torch and write the file."""
    import torch
    import torch.utils.data

    steps = {
        key([name, options]): {
            dtype: digits(train(torch, torch.optim, name, options, dtype)) for dtype in ("float32", "float64")
        }
        for name, options in CASES
    }
    loaders = {key(case): orders(torch, torch.utils.data, **case) for case in LOADERS}
    lines = [f"{key(k)}: {key(v)}" for k, v in itertools.chain(steps.items(), loaders.items())]
    DATA.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    record()
