"""An acknowledgement is of one event: it ends when the alarm has been quiet there, and after a year."""

from datetime import date, timedelta

import pytest

from histories.settings import settings
from serving.monitoring import acknowledgements
from serving.monitoring.acknowledgements import SEEN, acknowledge, seen, with_acknowledgements
from serving.monitoring.alarms.alarm import AlarmResult
from serving.store import Store
from serving.store.caller import command_line
from tests.support.databases import KEY


def result(state, where="", code="A011"):
    return AlarmResult(code=code, title="t", state=state, since=date(2026, 1, 1), where=where)


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
