"""The page of monitoring: promises and what came, for the caller's authority alone, with small numbers hidden."""

import re

import pytest

from serving.monitoring import stored
from serving.pages.monitor_figures import funnel, run_chart
from serving.store import Caller


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize("role", ["lead", "analyst", "administrator"])
def test_promises_alarms_and_trials_of_the_authority_are_shown(visit, site, role):
    page = visit(role).get("/monitor").text
    text = text_of(page)
    assert "Alarms that are up: 2" in text
    assert "Seen by ann" in text
    assert "The school changed its system." in text
    assert "and [c] did" in text
    assert "Nobody has said yet that they saw it (onroll monitor, with --acknowledge A001)." in text
    assert "the year before 2023/24 spring" in text
    assert re.search(
        r"autumn-2026 : a trial with 400 children of the list of (\w+ )?9 September 2024, registered", text
    ), text[-3000:]
    assert "Lists whose outcomes are not known yet: 1." in text
    assert "authority 802" not in text
    assert "<script" not in page


def test_who_sees_all_authorities_sees_them_together_and_others_nothing(site):
    with site.store.view(Caller("command:root", "administrator", None)) as view:
        _, every = stored.newest(view)
        view.record("monitor.page_seen")
    with site.store.view(Caller("dev:x", "lead", "999")) as view:
        nothing = stored.newest(view)
        view.record("monitor.page_seen")
    assert (every["authority"], nothing) == (None, None)
    assert [row["name"] for row in every["versions"][0]["authorities"]] == ["801", "802"]


def test_pictures_say_what_lies_outside_and_draw_no_hidden_number():
    place = {"name": "a", "usual": [2, 10], "expected": 5.0, "observed": 20, "kept": False}
    hidden = {**place, "name": "b", "observed": None, "kept": None}
    inside = {**place, "name": "c", "expected": 10.0, "observed": 10, "kept": True}
    chart = run_chart([place, hidden, inside])
    assert (chart.most, chart.outside, chart.hidden, chart.width) == (20, 1, 1, 36)
    assert [m["observed"] for m in chart.marks] == [0.0, None, 50.0]
    drawn = funnel([place, hidden, inside])
    assert drawn.outside == ["a"]
    assert [(p["x"], p["y"]) for p in drawn.points] == [(0.0, 0.0), (200.0, 133.3)]
    assert funnel([place, hidden]) is None
    assert run_chart([]) is None
