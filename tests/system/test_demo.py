"""The demo as a whole, at its smallest size."""

import json
from datetime import date

import pytest

from histories.settings import settings
from serving.cli import demo
from serving.monitoring import stored
from serving.store import Caller, Store


@pytest.mark.prove
def test_the_smallest_demo_has_lists_of_two_terms_behind_it_an_alarm_and_the_plan_of_a_trial(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answers, told = demo.run(demo.MIN, tmp_path / "demo", date(2026, 11, 27))
    assert answers["worklist"]["scores"]
    assert "onroll monitor demo/histories" in told
    with Store.of(settings()).view(Caller("dev:x", "lead", answers["worklist"]["scores"][0]["authority"])) as view:
        _, shown = stored.newest(view)
        view.record("monitor.page_seen")
    assert [(term["term"], term["lists"]) for term in shown["terms"]] == [("2025/26 spring", 2), ("2025/26 summer", 2)]
    assert "A015" in {alarm["code"] for alarm in shown["alarms"]}
    (trial,) = shown["trials"]
    assert (trial["name"], trial["started_on"]) == ("demo-2026-11-23", None)
    model = json.loads((tmp_path / "mlruns" / "releases" / "onroll" / "v1" / "manifest.json").read_text())
    assert max(model["trained_on"]) < "2025-09-01"
