"""Tools around training: `minigrad.utils.data` feeds it."""

from minigrad.utils import data as data

__all__ = ["data"]
