"""What a list promised stays what it was: by its own capacity, and by the one list that teams were shown on a day."""

from datetime import UTC, datetime, timedelta

import pytest

from serving.monitoring.evidence import Evidence
from serving.monitoring.judge import Terms, judge
from serving.monitoring.shareable import _over_time
from tests.support.monitored import DAY, histories, reader, stored_list

RISKS = [0.5] * 10 + [0.01] * 90
AT = datetime(2024, 1, 15, 6, tzinfo=UTC)


def judged(risks_of, **terms):
    return judge(histories(gone=(0, 1, 2, 50)), list(risks_of), reader(risks_of), Terms(**{"capacity": 10} | terms))


@pytest.mark.parametrize("today", [{"capacity": 1}, {"capacity": 90}, {"capacities": {"801": 3}}])
def test_a_promise_does_not_change_with_todays_capacity(today):
    x = stored_list(RISKS, capacity=10)
    judgement = judged({x: RISKS}, **today)
    first = judgement.lists[0].figures.first
    assert (first.capacity, first.listed, first.promised, first.found) == (10, 10, 0.5, 3)
    assert judgement.warnings == []


def test_lists_of_several_capacities_are_each_judged_by_their_own():
    risks_of = {stored_list(RISKS, day=DAY - timedelta(weeks=n), capacity=c): RISKS for n, c in enumerate((5, 25))}
    assert {r.of.capacity: r.figures.first.listed for r in judged(risks_of).lists} == {5: 5, 25: 25}


def test_a_list_that_holds_none_is_judged_by_todays_which_is_said():
    judgement = judged({stored_list(RISKS): RISKS}, capacities={"801": 3})
    assert judgement.lists[0].figures.first.listed == 3
    assert any("today's capacity (1 list)" in warning for warning in judgement.warnings)


def test_a_capacity_that_is_asked_for_stands_for_every_list():
    judgement = judged({stored_list(RISKS, capacity=10): RISKS}, asked=4)
    assert judgement.lists[0].figures.first.listed == 4


# Two lists of a day: version, purpose and hour of the one that teams were shown, and of the other.
TWO = [
    (("9", "shown", 1), ("10", "shadow", 2)),
    (("10", "shown", 1), ("9", "shadow", 2)),
    (("1", "shown", 1), ("2", "shadow", 0)),
    (("10", "shown", 2), ("9", "shown", 1)),
    (("9", "shown", 2), ("10", "shown", 1)),
]


@pytest.mark.parametrize(("shown", "other"), TWO)
def test_of_two_lists_on_a_day_the_one_that_was_shown_counts_once(shown, other):
    of = [
        stored_list(RISKS, version=version, purpose=purpose, stored_at=AT + timedelta(hours=hour))
        for version, purpose, hour in (shown, other)
    ]
    judgement = judged(dict.fromkeys(of, RISKS))
    (term,) = judgement.terms
    assert (term.lists, term.whole.expected) == (1, pytest.approx(sum(RISKS)))
    over_time = _over_time(judgement, None)
    assert [x["model_version"] for x in over_time["lists"]] == [shown[0]]
    assert over_time["terms"][0]["expected"] == pytest.approx(sum(RISKS), abs=0.1)
    evidence = Evidence(judgement=judgement, lists=of)
    assert [x.model_version for x in evidence.newest_lists()] == [shown[0]]
    assert [c.version for c in evidence.current()] == [shown[0]]
    assert judgement.versions[-1].model_version == shown[0]


@pytest.mark.parametrize("makers", [("2", "1", "2"), ("1", "2", "1"), ("9", "10"), ("10", "9")])
def test_the_last_version_is_that_of_the_newest_list_though_it_made_older_ones_too(makers):
    days = [DAY - timedelta(weeks=len(makers) - n) for n in range(len(makers))]
    of = [stored_list(RISKS, day=day, version=version) for day, version in zip(days, makers, strict=True)]
    assert judged(dict.fromkeys(of, RISKS)).versions[-1].model_version == makers[-1]


def test_a_challengers_newer_list_is_not_the_last_version():
    of = [stored_list(RISKS, day=DAY - timedelta(weeks=1)), stored_list(RISKS, version="2", purpose="shadow")]
    assert [v.model_version for v in judged(dict.fromkeys(of, RISKS)).versions] == ["2", "1"]
