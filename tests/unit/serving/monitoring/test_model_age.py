"""A model is as old as its newest whole training day, beside the outcomes of its own kind that are known; each version in use is judged."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from features import Definition
from serving.monitoring.alarms import ALARMS, load_limits
from serving.monitoring.evidence import Evidence
from serving.monitoring.judge import Judgement, Terms, judge
from tests.support.monitored import DAY, DEFINITION, END, HORIZON, histories, reader, stored_list

KNOWN = date(2023, 9, 4)
DAYS = load_limits()["A015"]["days"]
OLD, YOUNG = KNOWN - timedelta(days=DAYS + 1), KNOWN - timedelta(days=DAYS)
(AGE,) = (alarm for alarm in ALARMS if alarm.code == "A015")


def results(lists, trained, known=KNOWN):
    """Return what the alarm says of lists; ``trained`` has the newest training day of each version whose folder is there."""
    manifests = {
        version: SimpleNamespace(trained_on=["2020-01-06", str(day)], newest_labelled=None)
        for version, day in trained.items()
    }
    known = known if isinstance(known, dict) else {(DEFINITION, HORIZON): known}
    found = AGE.results(
        Evidence(judgement=Judgement(manifests=manifests, newest_known=known), lists=lists), load_limits()["A015"]
    )
    return [(r.state, r.where) for r in found]


@pytest.mark.parametrize(("trained", "state"), [(OLD, "up"), (YOUNG, "quiet")])
def test_a_model_is_old_on_the_day_after_the_days_of_the_limit(trained, state):
    assert [state for state, _ in results([stored_list([0.1])], {"1": trained})] == [state]


def test_what_matters_is_the_version_that_made_each_authoritys_newest_list():
    """Neither a version that another has replaced nor a challenger; and no authority hides another."""
    replaced = stored_list([0.1], day=DAY - timedelta(days=7))
    challenger = stored_list([0.1], day=DAY + timedelta(days=7), version="3", purpose="shadow")
    lists = [replaced, stored_list([0.1], version="2"), challenger]
    trained = {"1": OLD, "2": YOUNG, "3": OLD}
    assert results(lists, trained) == [("quiet", "")]
    elsewhere = stored_list([0.1], day=DAY - timedelta(days=14), authority="802")
    assert results([elsewhere, *lists], trained) == [("up", "version 1")]


def test_a_version_is_beside_the_outcomes_of_its_own_window():
    """Those of a shorter window are known sooner; nobody can have learnt them for the longer one."""
    known = {(DEFINITION, HORIZON): KNOWN, (DEFINITION, 28): KNOWN + timedelta(days=92)}
    assert results([stored_list([0.1])], {"1": YOUNG}, known) == [("quiet", "")]
    assert results([stored_list([0.1], horizon_days=28)], {"1": YOUNG}, known) == [("up", "version 1")]


def test_a_version_whose_folder_is_gone_is_named_beside_those_that_are_judged():
    lists = [stored_list([0.1], authority="802", version="7"), stored_list([0.1])]
    assert results(lists, {"1": YOUNG}) == [("not_judged", "version 7")]
    assert results(lists, {"1": OLD}) == [("up", "version 1"), ("not_judged", "version 7")]


def test_the_older_the_model_the_larger_the_event():
    """Whoever has acknowledged a model of 401 days has not yet seen one of 700."""
    manifest = SimpleNamespace(trained_on=[str(OLD - timedelta(days=299))], newest_labelled=None)
    judgement = Judgement(manifests={"1": manifest}, newest_known={(DEFINITION, HORIZON): KNOWN})
    (up,) = AGE.results(Evidence(judgement=judgement, lists=[stored_list([0.1])]), load_limits()["A015"])
    assert up.parts == {"days": DAYS + 300}


def test_outcomes_are_known_once_window_and_delay_have_passed():
    x = stored_list([0.1] * 100)
    judgement = judge(histories(), [x], reader({x: [0.1] * 100}), Terms(capacity=10))
    delay = timedelta(days=HORIZON + Definition.load(DEFINITION).known_after_days)
    assert judgement.newest_known == {(DEFINITION, HORIZON): END - delay}
