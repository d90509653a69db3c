"""Mistakes in how losses and optimisers are used, found while the code runs.

`finding` has the table of rules, `losses` and `training` the rules, `origins` reads the tape for them,
`session` is `lint` itself: when it looks, and what becomes of what it finds.
"""

from minigrad.study.linting.finding import RULES, Finding, LintError, LintWarning
from minigrad.study.linting.session import lint
