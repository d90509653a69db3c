"""How losses backpropagate: step by step, in text, in pictures and in one offline page."""

from minigrad.study.blame import NonFiniteError, NonFiniteWarning, watch
from minigrad.study.compare import Comparison, compare
from minigrad.study.explain import Explanation, explain
from minigrad.study.graph import Graph, graph
from minigrad.study.linting import Finding, LintError, LintWarning, lint
from minigrad.study.report import report
