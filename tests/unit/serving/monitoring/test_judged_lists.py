"""Alarms about outcomes judge what each authority's teams were shown last: no other authority, challenger or older list has a part in it."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from serving.monitoring.alarms import ALARMS, load_limits
from serving.monitoring.evidence import Evidence
from serving.monitoring.judge import Terms, judge
from serving.monitoring.shareable import shareable
from tests.support.monitored import DAY, histories, name, reader, stored_list
from tests.support.reported import report

OF_OUTCOMES = ("A001", "A002", "A003", "A004", "A005")
AT = datetime(2024, 1, 15, 6, tzinfo=UTC)
GONE = range(20)  # of 100 children
RIGHT, TOO_HIGH, TOO_LOW = [0.2] * 100, [0.8] * 100, [0.12] * 100
LOST = [0.2] * 120  # 20 of them are not in the histories


def evidence(risks_of, read=None):
    judgement = judge(histories(gone=GONE), list(risks_of), read or reader(risks_of), Terms(capacity=100))
    for version in {x.model_version for x in risks_of}:
        judgement.manifests[version] = SimpleNamespace(base_rate=0.2)
    return Evidence(judgement=judgement, lists=list(risks_of))


def up(found, codes=OF_OUTCOMES):
    """The alarms that are up, and of which authority."""
    limits = load_limits()
    results = [r for a in ALARMS if a.code in codes for r in a.results(found, limits[a.code])]
    return {(r.code, "802" if "authority 802" in r.where else "801") for r in results if r.state == "up"}


def first_half_of_801(risks_of):
    """Return what reads lists of two authorities, one with the first half of the children and the other with the rest."""
    read = reader(risks_of)

    def of_both(lists):
        scores = read(lists)
        half = scores["pupil_id"] < name(50)
        return scores.filter(half == (scores["authority"] == "801"))

    return of_both


@pytest.mark.parametrize("other", [RIGHT, TOO_LOW])
def test_no_authority_hides_another(other):
    """801's risks are much too low or right; in 802 nobody goes missing where a fifth was promised."""
    here, there = stored_list(other), stored_list(RIGHT, authority="802")
    risks_of = {here: other, there: RIGHT}
    raised = up(evidence(risks_of, first_half_of_801(risks_of)), ("A001",))
    assert ("A001", "802") in raised
    assert (("A001", "801") in raised) == (other != RIGHT)


def test_an_authority_that_scores_monthly_is_judged_beside_one_that_scores_daily():
    daily = {stored_list(RIGHT, day=DAY - timedelta(days=n)): RIGHT for n in range(8)}
    monthly = {stored_list(TOO_HIGH, day=DAY - timedelta(days=30), authority="802"): TOO_HIGH}
    assert up(evidence(daily | monthly), ("A001",)) == {("A001", "802")}


# Lists that nobody is shown (any more), by their changes; each day after the first has one.
UNSEEN = {
    "a challenger's": {"version": "2", "purpose": "shadow"},
    "of the version itself, before it served": {"purpose": "shadow"},
    "of another version, which was stored before": {"version": "2", "stored_at": AT - timedelta(hours=1)},
}


@pytest.mark.parametrize("unseen", UNSEEN)
@pytest.mark.parametrize("risks", [TOO_HIGH, TOO_LOW, LOST])
def test_a_list_that_no_team_is_shown_changes_no_alarm_and_no_promise(unseen, risks):
    days = [DAY - timedelta(weeks=n) for n in range(3)]
    shown = {stored_list(RIGHT, day=day, stored_at=AT): RIGHT for day in days}
    own = "version" not in UNSEEN[unseen]
    other_days = [day - timedelta(days=1) for day in days] if own else days
    others = {stored_list(risks, day=day, **UNSEEN[unseen]): risks for day in other_days}
    without, beside = evidence(shown), evidence(others | shown)
    assert up(beside) == up(without) == set()
    assert beside.judgement.versions[-1] == without.judgement.versions[-1]
    pages = [shareable(report(judgement=e.judgement), "801")["versions"] for e in (without, beside)]
    assert pages[0] == pages[1]
    assert [v.shown for v in beside.judgement.versions] == [True] if own else [False, True]


def test_children_lost_from_an_old_list_do_not_keep_the_alarm_up():
    old = stored_list(LOST, day=DAY - timedelta(weeks=4))
    assert up(evidence({old: LOST}), ("A005",)) == {("A005", "801")}
    assert up(evidence({old: LOST, stored_list(RIGHT): RIGHT}), ("A005",)) == set()


def test_the_outcomes_of_a_current_version_are_of_its_authority_only():
    risks_of = {stored_list(RIGHT): RIGHT, stored_list(RIGHT, authority="802"): RIGHT}
    found = evidence(risks_of)
    assert [set(found.outcomes(c).scored["authority"]) for c in found.current()] == [{"801"}, {"802"}]
    assert found.outcomes(found.current()[0]).scored.schema["as_of"] == pl.Date
