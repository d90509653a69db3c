"""One table of losses: every row is a function, inputs for it, and the options it is tried with.

`test_losses.py` holds kernel = definition = torch = numeric difference for every row, values, gradients and
second derivatives; `test_loss_errors.py` the errors. `record_losses.py` stores torch's values, so that the
suite needs no torch. Each module here but `base` is a family of losses, with its `rows` and its `ERRORS`.
"""

import importlib
import pkgutil

from losses_table.base import Row as Row
from losses_table.base import arrays_of as arrays_of
from losses_table.base import cotangent_of as cotangent_of
from losses_table.base import function_of as function_of
from losses_table.base import inputs_of as inputs_of
from losses_table.base import leaves_of as leaves_of
from losses_table.base import loss_of as loss_of
from losses_table.base import options_of as options_of

FAMILIES = {
    info.name: importlib.import_module(f"losses_table.{info.name}")
    for info in pkgutil.iter_modules(__path__)
    if info.name != "base"
}
ROWS = {name: list(module.rows()) for name, module in FAMILIES.items()}
ERRORS = [error for module in FAMILIES.values() for error in module.ERRORS]
