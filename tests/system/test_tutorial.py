"""The tutorial runs from an empty folder, and is committed with small outputs that name no machine."""

import json
import re

import pytest

from tests.support.tutorial import TUTORIAL, executed

CELLS = json.loads(TUTORIAL.read_text("utf-8"))["cells"]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]


def shown(cells):
    """Return all outputs of cells as one text."""
    return json.dumps([cell["outputs"] for cell in cells])


def test_every_cell_was_run_in_order_and_none_failed():
    assert [cell["execution_count"] for cell in CODE] == list(range(1, len(CODE) + 1))
    assert not [o for cell in CODE for o in cell["outputs"] if o["output_type"] == "error" or o.get("name") == "stderr"]


def test_outputs_are_small_draw_beeswarm_and_waterfall_and_name_no_machine():
    assert shown(CODE).count('"image/png"') == 2
    assert TUTORIAL.stat().st_size < 300_000
    prose = re.sub(r'"image/png": "[^"]+"', "", shown(CODE))
    assert not re.search(r"/(home|root|tmp|work|Users|opt)/", prose)


@pytest.mark.prove
def test_the_tutorial_runs_and_finds_what_it_says(tmp_path):
    notebook = executed(tmp_path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [bool(cell.outputs) for cell in code] == [bool(cell["outputs"]) for cell in CODE]
    assert "no feature sees the future" in shown(code)
    assert "longest_suspension_365d" in shown(code)
