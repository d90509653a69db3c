"""How losses backpropagate: step by step, in text, in pictures and in one offline page."""

from minigrad.study.explain import Explanation, explain
from minigrad.study.graph import Graph, graph
from minigrad.study.report import report
