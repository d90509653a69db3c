"""Losses with parameters of their own, as made from a seed, and what they compute; by minigrad or torch."""

from __future__ import annotations

from typing import Any

import numpy as np

_LINEAR, _ADAPTIVE = "LinearCrossEntropyLoss", "AdaptiveLogSoftmaxWithLoss"

# name: module, arguments, options (an array becomes a tensor), features' shape, target
CASES: dict[str, tuple[str, tuple, dict[str, Any], tuple[int, ...], Any]] = {
    "linear": (_LINEAR, (5, 7), {}, (4, 5), [0, 6, 3, 3]),
    "linear-bias": (
        _LINEAR,
        (5, 7),
        {"bias": True, "weight": np.linspace(0.5, 2, 7), "reduction": "sum", "ignore_index": 3},
        (4, 5),
        [0, 6, 3, 1],
    ),
    "linear-kdim": (
        _LINEAR,
        (5, 4),
        {"out_features": (2, 3), "bias": True, "label_smoothing": 0.1, "reduction": "none"},
        (2, 5),
        [[[0, 1, 2], [3, 0, 1]], [[2, 3, 0], [1, 2, 3]]],
    ),
    "linear-sample": (_LINEAR, (5, 7), {}, (5,), 2),
    "adaptive": (_ADAPTIVE, (16, 20, [5, 10, 15]), {"div_value": 2.0}, (6, 16), [0, 4, 5, 12, 13, 19]),
    "adaptive-bias": (_ADAPTIVE, (16, 20, (8,)), {"head_bias": True}, (4, 16), [19, 8, 9, 8]),
    "adaptive-head": (_ADAPTIVE, (16, 20, [8]), {}, (3, 16), [1, 7, 0]),
    "adaptive-sample": (_ADAPTIVE, (16, 20, [8]), {}, (16,), 11),
}  # fmt: skip


def module_of(namespace: Any, name: str, dtype: str = "float64") -> Any:
    """The module, drawn from seed 0."""
    kind, arguments, options, _, _ = CASES[name]
    namespace.manual_seed(0)
    made = {
        k: namespace.tensor(v, dtype=getattr(namespace, dtype)) if isinstance(v, np.ndarray) else v
        for k, v in options.items()
    }
    return getattr(namespace.nn, kind)(*arguments, **made, dtype=getattr(namespace, dtype))


def features_of(namespace: Any, name: str, dtype: str = "float64") -> Any:
    """The input, the same everywhere."""
    shape = CASES[name][3]
    x = np.random.default_rng(len(name)).standard_normal(shape).astype(dtype)
    return namespace.tensor(x, requires_grad=True)


def results(namespace: Any, name: str, dtype: str = "float64") -> dict[str, np.ndarray]:
    """The parameters, the values, and the gradients of input and parameters."""
    module, x = module_of(namespace, name, dtype), features_of(namespace, name, dtype)
    target = namespace.tensor(CASES[name][4])
    found = module(x, target)
    values = {"loss": found}
    if name.startswith("adaptive"):
        values = {"output": found.output, "loss": found.loss}
        if x.ndim == 2:
            values |= {"log_prob": module.log_prob(x), "predict": module.predict(x)}
    (values["loss"] * 0.5).sum().backward()
    arrays = {k: v.detach().numpy() for k, v in values.items()}
    arrays |= {f"parameter {k}": v.detach().numpy() for k, v in module.named_parameters()}
    arrays["gradient"] = x.grad.numpy()
    for k, v in module.named_parameters():
        arrays[f"gradient {k}"] = np.zeros(v.shape) if v.grad is None else v.grad.numpy()
    return arrays
