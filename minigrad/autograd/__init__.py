"""The engine: how operations are stated, recorded and walked backward."""

import importlib

from minigrad.autograd.anomaly import detect_anomaly as detect_anomaly
from minigrad.autograd.anomaly import is_anomaly_enabled as is_anomaly_enabled
from minigrad.autograd.anomaly import set_detect_anomaly as set_detect_anomaly
from minigrad.autograd.engine import backward as backward
from minigrad.autograd.engine import grad as grad
from minigrad.autograd.function import Function as Function
from minigrad.autograd.function import once_differentiable as once_differentiable
from minigrad.autograd.gradcheck import GradcheckError as GradcheckError
from minigrad.autograd.gradcheck import gradcheck as gradcheck
from minigrad.autograd.gradcheck import gradgradcheck as gradgradcheck
from minigrad.autograd.tape import Variable as Variable
from minigrad.autograd.tape import enable_grad as enable_grad
from minigrad.autograd.tape import inference_mode as inference_mode
from minigrad.autograd.tape import no_grad as no_grad
from minigrad.autograd.tape import set_grad_enabled as set_grad_enabled
from minigrad.autograd.tape import set_nan_policy as set_nan_policy
from minigrad.missing import attribute_of as _attribute_of

__all__ = [
    "Function",
    "GradcheckError",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_anomaly_enabled",
    "no_grad",
    "once_differentiable",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_nan_policy",
]


_missing = _attribute_of(__name__, globals())


def __getattr__(name: str) -> object:
    if name == "functional":  # it needs tensors, which need this package
        return importlib.import_module("minigrad.autograd.functional")
    return _missing(name)
