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


@pytest.mark.parametrize(("others", "expected"), [(1, "quiet"), (2, "up")])
def test_one_child_alone_is_no_change_of_all_risks(others, expected):
    assert state([0.05] * 20, [0.05] * 20 + [0.9] * others) == expected


def test_where_no_child_is_expected_nothing_is_judged():
    assert state([0.001] * 50, [0.001] * 49 + [0.9]) == "not_judged"


def test_lists_of_other_weeks_are_not_compared():
    assert state([0.1] * 50, [0.1] * 50, between=[with_marks([0.9] * 50, DAY + YEAR - 9 * WEEK)]) == "quiet"
