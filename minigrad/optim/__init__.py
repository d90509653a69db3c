"""Optimisers: what turns gradients into better parameters.

Example:
    >>> import minigrad
    >>> from minigrad import optim
    >>> w = minigrad.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=0.25)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     (w**2).sum().backward()
    ...     optimizer.step()
    >>> w
    tensor([ 0.1250, -0.2500], requires_grad=True)
"""

from minigrad.missing import attribute_of as _attribute_of
from minigrad.optim.adam import Adam as Adam
from minigrad.optim.adam import AdamW as AdamW
from minigrad.optim.optimizer import Optimizer as Optimizer
from minigrad.optim.sgd import SGD as SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]

__getattr__ = _attribute_of(__name__, globals())
