"""Tools around training: `minigrad.utils.data` feeds it, `minigrad.utils.checkpoint` saves its memory."""

from minigrad.utils import checkpoint as checkpoint
from minigrad.utils import data as data

__all__ = ["checkpoint", "data"]
