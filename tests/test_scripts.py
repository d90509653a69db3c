"""Scripts in the style of tutorials print the same text under torch and, one import changed, minigrad."""

from __future__ import annotations

import warnings

import pytest
from record_scripts import DATA, SCRIPTS, printed, with_import_changed

every_script = pytest.mark.parametrize("path", SCRIPTS, ids=[path.stem for path in SCRIPTS])


def test_there_are_thirty_of_them_and_each_has_a_recording():
    assert len(SCRIPTS) >= 30
    assert {path.stem for path in SCRIPTS} == {path.stem for path in DATA.glob("*.txt")}


@every_script
def test_prints_what_torch_printed(path):
    recorded = (DATA / f"{path.stem}.txt").read_text()
    assert recorded.count("\n") >= 3
    assert printed(path, "minigrad") == recorded


@every_script
def test_prints_what_torch_prints_here(path, torch):
    with warnings.catch_warnings():  # torch warns of parts of itself
        warnings.simplefilter("ignore")
        expected = printed(path, "torch")
    assert printed(path, "minigrad") == expected


@every_script
def test_no_more_than_the_imports_change(path):
    before, after = path.read_text().splitlines(), with_import_changed(path.read_text()).splitlines()
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert changed
    assert all("import" in a and "minigrad" in b for a, b in changed)
