"""What scripts ask about devices: answered as by a torch without CUDA, also where nothing is done."""

import pytest

import minigrad

ASKED = {
    "device": lambda t: t.device("cuda" if t.cuda.is_available() else "cpu"),
    "accelerator": lambda t: t.accelerator.current_accelerator() if t.accelerator.is_available() else "cpu",
    "count": lambda t: t.cuda.device_count(),
    "mps": lambda t: t.backends.mps.is_available(),
    "seeds": lambda t: (t.cuda.manual_seed(1), t.cuda.manual_seed_all(1)),
    "deterministic": lambda t: t.use_deterministic_algorithms(False),
    "switches": lambda t: setattr(t.backends.cudnn, "benchmark", False),
    "to": lambda t: t.ones(2).to(t.device("cpu")).device,
    "zeros on cuda": lambda t: t.zeros(2, device="cuda"),
    "to cuda": lambda t: t.ones(2).to("cuda"),
    "tensor.cuda": lambda t: t.ones(2).cuda(),
    "module.cuda": lambda t: t.nn.Linear(1, 1).cuda(),
    "layer on cuda": lambda t: t.nn.Linear(1, 1, device="cuda"),
    "is_nonzero": lambda t: [t.is_nonzero(t.tensor(v)) for v in (0, 1.5, True)],
    "is_nonzero of two": lambda t: t.is_nonzero(t.ones(2)),
    "format": lambda t: f"{t.tensor(3.14159)} {t.tensor(2)} {t.tensor(0.5):.3f} {t.ones(1)}",
    "format of a parameter": lambda t: f"{t.nn.Parameter(t.tensor(1.5))}",
    "no inputs": lambda t: t.autograd.grad(t.ones(2, requires_grad=True).sum(), []),
    "dot of two dtypes": lambda t: t.ones(2).dot(t.tensor([1, 2])),
}


def answer(t, question):
    try:
        return repr(question(t))
    except (AssertionError, RuntimeError) as error:
        return type(error).__name__, str(error).split("\n")[0]


@pytest.mark.parametrize("name", ASKED)
def test_the_answer_is_torchs(name, torch):

    assert answer(minigrad, ASKED[name]) == answer(torch, ASKED[name])
