"""Figures of benchmarks are collected, judged, added to the history, and drawn in the documentation."""

import importlib.util
import json
import sys

import pytest

from benchmarks import ratios, table
from benchmarks.ratios import Ratio, collected, note
from tests.support.checkout import ROOT


@pytest.fixture
def history(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "HISTORY", tmp_path / "history.jsonl")
    return tmp_path / "history.jsonl"


def test_a_benchmark_alone_notes_nothing_and_one_of_the_table_its_figures(tmp_path, monkeypatch):
    note("alone", 1.0, "a scan")
    monkeypatch.setenv(ratios.COLLECTED, str(tmp_path / "ratios"))
    assert collected(tmp_path / "ratios") == []
    note("all features", 5.71649, "a scan", 2.5)
    note("loading", 0.5, "a scan")
    assert collected(tmp_path / "ratios") == [
        Ratio(name="all features", value=5.716, floor="a scan", goal=2.5),
        Ratio(name="loading", value=0.5, floor="a scan"),
    ]


@pytest.mark.parametrize(
    ("value", "goal", "verdict"), [(2.5, 2.5, "met"), (2.6, 2.5, "missed"), (9.0, None, "no goal")]
)
def test_a_goal_is_the_largest_value_that_meets_it(value, goal, verdict):
    assert Ratio(name="a", value=value, floor="b", goal=goal).verdict == verdict


def test_a_run_adds_a_line_to_the_history_and_fails_when_a_goal_is_missed(history, monkeypatch, capsys):
    runs = [[Ratio(name="a", value=v, floor="f", goal=2.0)] for v in (1.0, 3.0)] + [[]]
    monkeypatch.setattr(table, "run", lambda names: runs.pop(0))
    assert [table.main(["starting"]) for _ in range(3)] == [0, 1, 0]
    entries = [json.loads(line) for line in history.read_text("utf-8").splitlines()]
    assert [e["ratios"][0]["value"] for e in entries] == [1.0, 3.0]
    assert all(e["at"] and e["machine"]["cores"] for e in entries)
    assert "missed" in capsys.readouterr().out


def test_every_benchmark_of_the_table_is_a_program_that_notes_a_figure():
    for name in table.BENCHMARKS:
        text = (ROOT / "benchmarks" / f"{name}.py").read_text("utf-8")
        assert "note(" in text or "show(" in text, name
        assert 'if __name__ == "__main__":' in text, name


@pytest.fixture
def page_of(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    spec = importlib.util.spec_from_file_location("history_page", ROOT / "docs" / "history_page.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "history_page", module)
    spec.loader.exec_module(module)
    return module.history_page


def test_the_page_draws_each_figure_by_commit_without_scripts(tmp_path, page_of):
    assert "no run yet" in page_of(tmp_path / "none.jsonl")
    of = {"floor": "a <scan>", "goal": 2.0}
    lines = [
        {"at": f"2026-11-{20 + n}T10:00:00+00:00", "commit": f"c{n}", "ratios": [{"name": "a", "value": value, **of}]}
        for n, value in enumerate((1.0, 3.0))
    ]
    lines[1]["ratios"].append({"name": "one & only", "value": 0.0, "floor": "f", "goal": None})
    (tmp_path / "h.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    page = page_of(tmp_path / "h.jsonl")
    assert page.count("<svg") == 2
    assert page.count("<circle") == 3
    assert "<script" not in page
    assert "3 times a <scan> at c1, 2026-11-21; before between 1 and 1; goal 2, missed." in page
    assert 'aria-label="one &amp; only by commit"' in page
