"""The first children of a list change from week to week: how many may stay by chance depends on how many they are."""

from datetime import timedelta

import pytest

from serving.monitoring.alarms import ALARMS, load_limits
from serving.monitoring.evidence import Evidence, Previous
from serving.monitoring.judge import Judgement
from tests.support.monitored import DAY, stored_list

(CHURN,) = (alarm for alarm in ALARMS if alarm.code == "A008")


@pytest.mark.parametrize(
    ("places", "stayed", "state"),
    [
        (7, 0, "not_judged"),
        (8, 0, "up"),
        (8, 1, "quiet"),
        (10, 0, "up"),
        (10, 1, "quiet"),
        (10, 2, "quiet"),
        (40, 8, "up"),
        (40, 9, "quiet"),
    ],
)
def test_few_that_stay_of_few_are_no_alarm(places, stayed, state):
    """By the bare share, a list of ten places was up on one look in 25 with nothing wrong."""
    before, newest = (stored_list([0.1] * 100, day=DAY + timedelta(days=n)) for n in (0, 7))
    first = {newest: Previous(of=before, places=places, kept=stayed / places)}
    evidence = Evidence(judgement=Judgement(), lists=[before, newest], first_children=first)
    assert [r.state for r in CHURN.results(evidence, load_limits()["A008"])] == [state]
