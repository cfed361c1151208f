"""The page of monitoring: promises and what came, for the caller's authority alone, with small numbers hidden."""

import re
from datetime import timedelta

import pytest

from histories.calendar import london_today
from serving.monitoring import stored
from serving.pages.monitor_figures import funnel, run_chart
from serving.pages.views import monitor as view
from serving.store import Caller


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize("role", ["lead", "analyst", "administrator"])
def test_promises_alarms_and_trials_of_the_authority_are_shown(visit, site, role):
    page = visit(role).get("/monitor").text
    text = text_of(page)
    assert "These are kept for all authorities together." in text
    assert "A001" not in text
    assert "the year before 2023/24 spring, 1 list" in text
    assert re.search(
        r"autumn-2026 : a trial with 400 children of the list of (\w+ )?9 September 2024, registered", text
    ), text[-3000:]
    assert "Lists whose outcomes are not known yet: 1." in text
    assert "authority 802" not in text
    assert "<script" not in page


def newest(site, *caller):
    with site.store.view(Caller("dev:x", *caller)) as view:
        found = stored.newest(view)
        view.record("monitor.page_seen")
    return found[1] if found else None


def test_each_scope_sees_the_report_of_its_scope(site):
    every = newest(site, "administrator", None)
    assert every["authority"] is None
    assert [a["code"] for a in every["alarms"]] == ["A001", "A010", "A010"]
    assert newest(site, "lead", site.authority)["authority"] == site.authority
    assert newest(site, "lead", "999") is None
    assert newest(site, "analyst", None) is None, "only an administrator sees all authorities"
    assert newest(site, "lead", site.authority, tuple(site.north)) is None, "every figure is of more schools"


def test_an_administrator_of_all_sees_alarms_and_who_acknowledged_them(site, visit):
    root = visit()
    _, key = site.store.create_key("administrator", None)
    root.submit("/sign-in", "/sign-in", key=key)
    text = text_of(root.get("/monitor").text)
    assert "Alarms that are up: 3" in text
    assert "Acknowledged by ann" in text
    assert "The school changed its system." not in text
    assert "Nobody has said yet that they saw it (onroll monitor, with --acknowledge A001)." in text
    assert "Yes, the list found more children." in text
    assert "As a team without a score would: those first who have already stopped coming" in text


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


@pytest.mark.parametrize(("days", "warned"), [(0, False), (7, False), (8, True), (90, True)])
def test_an_old_look_says_so(visit, monkeypatch, days, warned):
    """Alarms that began since are not on the page, so that it must not look as if there were none."""
    monkeypatch.setattr(view, "london_today", lambda: london_today() + timedelta(days=days))
    text = text_of(visit("lead").get("/monitor").text)
    assert (f"This look is {days} days old." in text) == warned


@pytest.mark.parametrize("overdue", [0, 2])
def test_lists_whose_outcomes_are_overdue_are_no_lists_that_wait(visit, monkeypatch, overdue):
    def with_overdue(of):
        at, report = stored.newest(of)
        return at, {**report, "overdue": overdue}

    monkeypatch.setattr(view, "newest", with_overdue)
    text = text_of(visit("lead").get("/monitor").text)
    assert ("Lists whose outcomes should be known by now and are not: 2." in text) == bool(overdue)
    assert "Lists whose outcomes are not known yet: 1." in text
