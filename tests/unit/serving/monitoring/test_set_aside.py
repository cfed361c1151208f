"""Whatever lets a retraining pass but an acknowledgement is named: nobody passes an alarm by an option unseen."""

from dataclasses import replace
from datetime import date

import pytest

from serving.monitoring.alarms import ALARMS, load_limits
from serving.monitoring.alarms.alarm import AlarmResult
from serving.retraining.refusals import set_aside

QUIET = AlarmResult(code="A001", title="t", state="quiet", since=date(2026, 1, 1))
LIMITS = [(code, name) for code, limits in load_limits().items() for name in limits]


def test_a_look_by_all_defaults_sets_nothing_aside():
    assert set_aside([QUIET], load_limits(), (), None) == []


@pytest.mark.parametrize(("code", "name"), LIMITS)
def test_each_changed_limit_is_named(code, name):
    limits = load_limits()
    limits[code] = {**limits[code], name: 99}
    (said,) = set_aside([QUIET], limits, (), None)
    assert said.startswith(f"limit {code} {name} is 99, shipped as ")


def test_a_named_day_silenced_rules_and_alarms_that_saw_nothing_are_named():
    blind = [replace(QUIET, code=a.code, state="not_judged", what="no list") for a in ALARMS[:3]]
    assert set_aside(blind, load_limits(), ["H002", "H001"], date(2025, 6, 2)) == [
        "alarms looked at the records as of 2025-06-02, which was named as today",
        "rules of the check were silenced: H001, H002",
        "alarms could not be judged: A001, A002, A003",
    ]
