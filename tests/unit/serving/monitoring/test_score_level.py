"""Mean risks are compared with those of the same weeks of a year before, where more than one child's risk makes the difference."""

from datetime import timedelta

import pytest

from serving.monitoring.alarms import ALARMS, load_limits
from serving.monitoring.evidence import Evidence
from serving.monitoring.judge import Judgement
from tests.support.monitored import DAY, with_marks

(LEVEL,) = (alarm for alarm in ALARMS if alarm.code == "A007")
YEAR, WEEK = timedelta(days=364), timedelta(weeks=1)


def state(before, newest, between=()):
    lists = [with_marks(before, DAY), *between, with_marks(newest, DAY + YEAR)]
    (result,) = LEVEL.results(Evidence(judgement=Judgement(), lists=lists), load_limits()["A007"])
    return result.state


@pytest.mark.parametrize(("others", "expected"), [(1, "quiet"), (8, "quiet"), (12, "up")])
def test_other_children_alone_are_no_change_of_all_risks(others, expected):
    """Eight more children at high risk are 2.8 standard deviations of what chance brings, twelve 3.5."""
    assert state([0.05] * 20, [0.05] * 20 + [0.9] * others) == expected
    assert state([0.05] * 20 + [0.9] * others, [0.05] * 20) == expected


@pytest.mark.parametrize(("children", "expected"), [(40, "quiet"), (400, "up")])
def test_twice_the_risk_of_all_is_told_where_chance_would_not_bring_it(children, expected):
    assert state([0.05] * children, [0.1] * children) == expected


def test_lists_of_the_same_weeks_hold_the_same_children_and_count_once():
    before = [with_marks([0.05] * 40, DAY + n * WEEK) for n in (1, 2, 3)]
    assert state([0.05] * 40, [0.1] * 40, between=before) == "quiet"


def test_where_no_child_is_expected_nothing_is_judged():
    assert state([0.001] * 50, [0.001] * 49 + [0.9]) == "not_judged"


def test_lists_of_other_weeks_are_not_compared():
    assert state([0.1] * 50, [0.1] * 50, between=[with_marks([0.9] * 50, DAY + YEAR - 9 * WEEK)]) == "quiet"
