"""An acknowledgement is of one event: it ends when the alarm has been quiet there, and after a year."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from histories.settings import settings
from serving.monitoring import acknowledgements
from serving.monitoring.acknowledgements import SEEN, acknowledge, seen, with_acknowledgements
from serving.monitoring.alarms import ALARMS, load_limits
from serving.monitoring.alarms.alarm import AlarmResult
from serving.monitoring.evidence import Evidence
from serving.monitoring.judge import Judgement
from serving.monitoring.season import Season, Shift
from serving.store import Store
from serving.store.caller import command_line
from tests.support.databases import KEY
from tests.support.monitored import DAY


def result(state, where="", code="A011"):
    parts = {"silent": 1.0} if state == "up" else {}
    return AlarmResult(code=code, title="t", state=state, since=date(2026, 1, 1), where=where, place=where, parts=parts)


PARTLY = [result("not_judged", "school 79")]
UP = [result("up", "school 77")]
BOTH = [*UP, result("up", "school 78")]
OTHER = [result("up", "school 78")]
QUIET, NOT_JUDGED = [result("quiet")], [result("not_judged")]


@pytest.fixture
def store(monkeypatch):
    """A store in which the alarm about school 77 is acknowledged."""
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    store = Store.of(settings())
    with store.change(command_line()) as change:
        acknowledge(change, UP, "a011", "its system is being replaced")
    return store


def acknowledged(store):
    with store.view(command_line()) as view:
        view.record("monitor.seen")
        return [a.acknowledged is not None for a in with_acknowledgements(view, BOTH)]


@pytest.mark.parametrize(
    ("looks", "holds"),
    [
        ([], True),
        ([UP, BOTH], True),
        ([NOT_JUDGED], True),  # half-term: nobody looked at the school
        ([QUIET], False),
        ([QUIET, UP], False),  # up again, in another year
        ([OTHER], False),  # this school sends marks again, another has stopped
        ([PARTLY], False),  # this school sends marks again, of another nobody can say
        ([[result("not_judged", "school 77")]], True),
        ([[*PARTLY, *NOT_JUDGED]], True),  # nothing was judged anywhere
    ],
)
def test_it_holds_until_a_look_finds_the_alarm_quiet_there(store, looks, holds):
    for alarms in looks:
        with store.view(command_line()) as view:
            view.record(SEEN, **seen(alarms), day="2026-10-05", default_look=True)
    assert acknowledged(store) == [holds, False]


def test_looks_by_another_day_or_limits_and_entries_of_before_say_nothing(store):
    with store.view(command_line()) as view:
        view.record(SEEN, **seen(QUIET), day="2025-10-05", default_look=False)
        view.record(SEEN, up=[], day="2026-10-05", default_look=True)
    assert acknowledged(store) == [True, False]


def test_it_ends_after_its_time_though_nobody_looked(store, monkeypatch):
    monkeypatch.setattr(acknowledgements, "LASTS", timedelta(0))
    assert acknowledged(store) == [False, False]


def season(**changes):
    base = Season(day=DAY, children={"801": (1000, 1000)}, recorded={"attendance": (1000, 1000)})
    return Evidence(judgement=Judgement(), season=replace(base, **changes))


def missing(*names, share=0.5):
    """Features that are missing for more children than a year before, the worst first."""
    rise = {name: share - n / 100 for n, name in enumerate(names)}
    none = {"values": 900, "difference": None, "usual": None, "missing_before": 0.0}
    return season(shifts={name: Shift(missing=now, **none) for name, now in rise.items()})


def shifted(**differences):
    none = {"missing": 0.0, "missing_before": 0.0, "values": 900, "usual": 0.0}
    return season(shifts={name: Shift(difference=d, **none) for name, d in differences.items()})


def children(now):
    return season(children={"801": (now, 1000)})


def rows(now):
    return season(recorded={"attendance": (now, 1000)})


FIVE = ("moves", "absent_14", "late_14", "cases", "plans")
# What was acknowledged, what comes then, and whether the acknowledgement holds.
EVENTS = [
    ("A009", children(1160), children(1180), True),
    ("A009", children(1160), children(3000), False),
    ("A009", children(1160), children(800), False),
    ("A010", rows(200), rows(190), True),
    ("A010", rows(300), rows(100), False),
    ("A010", rows(200), rows(0), False),
    ("A010", rows(0), rows(0), True),
    ("A010", rows(0), rows(200), False),
    ("A013", missing(*FIVE), missing(*reversed(FIVE)), True),
    ("A013", missing(*FIVE), missing(*FIVE[:3]), True),
    ("A013", missing(*FIVE), missing(*FIVE, "a_sixth"), False),
    ("A013", missing(*FIVE), missing(*FIVE, share=0.9), False),
    ("A014", shifted(moves=0.4, cases=0.5), shifted(cases=0.5, moves=0.6), True),
    ("A014", shifted(moves=0.4), shifted(moves=-0.4), False),
    ("A014", shifted(moves=0.4), shifted(moves=0.9), False),
]


@pytest.mark.parametrize(("code", "then", "now", "holds"), EVENTS)
def test_another_or_a_much_larger_event_at_the_place_is_not_acknowledged(store, code, then, now, holds):
    alarm, limits = next(a for a in ALARMS if a.code == code), load_limits()[code]
    with store.change(command_line()) as change:
        acknowledge(change, alarm.results(then, limits), code, "seen")
    with store.view(command_line()) as view:
        view.record(SEEN, **seen(alarm.results(then, limits)), day="2026-10-05", default_look=True)
        held = [a.acknowledged is not None for a in with_acknowledgements(view, alarm.results(now, limits))]
    assert held == [holds]


def test_two_figures_of_one_place_are_acknowledged_each_by_itself(store):
    """The list's calibration in a group was acknowledged; then its recall falls too."""
    calibration = replace(UP[0], code="A004", parts={"calibration less": 0.8})
    recall = replace(calibration, parts={"recall less": 0.3})
    with store.change(command_line()) as change:
        acknowledge(change, [calibration], "A004", "seen")
    with store.view(command_line()) as view:
        view.record("monitor.seen")
        held = with_acknowledgements(view, [calibration, recall])
    assert [a.acknowledged is not None for a in held] == [True, False]


def test_an_entry_of_before_that_does_not_say_what_was_seen_holds_no_longer(store):
    with store.change(command_line()) as change:
        change.record("alarm.acknowledged", code="A011", where="school 78", reason="seen")
    assert acknowledged(store) == [True, False]
