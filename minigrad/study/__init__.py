"""How losses backpropagate: step by step, in text, in pictures and in one offline page."""

from minigrad.study.blame import NonFiniteError, NonFiniteWarning, watch
from minigrad.study.compare import Comparison, compare
from minigrad.study.explain import Explanation, explain
from minigrad.study.graph import Graph, graph
from minigrad.study.linting import Finding, LintError, LintWarning, lint
from minigrad.study.pictures import Recorder as Recorder
from minigrad.study.pictures import gallery as gallery
from minigrad.study.pictures import plot_boundary as plot_boundary
from minigrad.study.pictures import plot_gradient_flow as plot_gradient_flow
from minigrad.study.pictures import plot_histograms as plot_histograms
from minigrad.study.pictures import plot_history as plot_history
from minigrad.study.pictures import plot_landscape as plot_landscape
from minigrad.study.pictures import plot_loss as plot_loss
from minigrad.study.pictures import plot_simplex as plot_simplex
from minigrad.study.playground import playground
from minigrad.study.report import report
