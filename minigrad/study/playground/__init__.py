"""The playground: a page on which small networks train while one watches, with any loss and optimiser.

`choices` is what can be chosen, `trainer` trains it and says what there is to see, `server` serves the page.
"""

from minigrad.study.playground.server import playground
from minigrad.study.playground.trainer import points
