"""Every loss of the catalogue in exact numbers: plain textbook formulas, none of them minigrad's."""

from benchmarks.references.classes import REFERENCES as CLASSES
from benchmarks.references.extra import REFERENCES as EXTRA
from benchmarks.references.pairs import REFERENCES as PAIRS
from benchmarks.references.pointwise import REFERENCES as POINTWISE

REFERENCES = {**POINTWISE, **CLASSES, **PAIRS, **EXTRA}
