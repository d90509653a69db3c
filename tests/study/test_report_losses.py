"""Every loss has a page, on which each gradient is the sum of what flows back to it."""

import sys
import xml.dom.minidom
from pathlib import Path

import numpy as np
import pytest

import minigrad
from minigrad import study
from minigrad.study.report.build import build_page
from minigrad.study.report.data import trace_data
from minigrad.study.report.flows import flows

sys.path.insert(0, str(Path(__file__).parents[1]))
import losses_table as table

FIRST = {}
for family in table.ROWS.values():
    for row in family:
        FIRST.setdefault(row.function, row)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
@pytest.mark.parametrize("row", FIRST.values(), ids=list(FIRST))
def test_every_loss_has_a_page(row):
    leaves = table.leaves_of(minigrad, row, np.float64)
    explanation = study.explain(table.loss_of(minigrad, row, leaves, np.float64), torch=False)
    trace = explanation.trace
    sent = flows(trace)
    for step in trace.steps:
        if step.gradient is not None and step.index != trace.result:
            terms = [
                term for (user, at), term in sent.items() if trace.steps[user].operands[at] == step.index
            ]
            assert terms, step.formula
            np.testing.assert_allclose(sum(terms), step.gradient, rtol=1e-9, atol=1e-12)
    for step in trace_data(trace)["steps"]:
        for markup in (step["math"], *(rule["math"] for rule in step["rules"])):
            assert not markup or xml.dom.minidom.parseString(markup)
        assert bool(step["math"]) == bool(step["text"])
    assert row.function in build_page(trace, explanation)
