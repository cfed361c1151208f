"""Alarms judge each authority by itself, and by what its teams were shown last: no other authority, challenger or older list has a part in it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from serving.monitoring.alarms import ALARMS, load_limits
from serving.monitoring.evidence import Evidence
from serving.monitoring.judge import Judgement, Terms, judge
from serving.monitoring.season import Delay, Season, Shift
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


LATE, IN_TIME = (Delay(marks=500, days=9.0), Delay(marks=500, days=0.5)), (Delay(marks=9000, days=0.5),) * 2
USUAL = Shift(missing=0.0, missing_before=0.0, values=9000, difference=0.0, usual=0.1)
BOTH = Season(
    day=DAY,
    children={"801": (9000, 9000), "802": (500, 500)},
    recorded={"cme": (9000, 9500)},
    delays=IN_TIME,
    shifts={"moves": USUAL},
)
# What a season of both shows of the neighbour alone, of which the whole shows nothing.
OF_802 = {
    "A009": {"children": {"801": (9000, 9000), "802": (900, 500)}},
    "A010": {"recorded_in": {"801": {"cme": (9000, 9000)}, "802": {"cme": (0, 500)}}},
    "A012": {"delays_in": {"801": IN_TIME, "802": LATE}},
    "A013": {"shifts_in": {"801": {"moves": USUAL}, "802": {"moves": replace(USUAL, missing=0.9)}}},
    "A014": {"shifts_in": {"801": {"moves": USUAL}, "802": {"moves": replace(USUAL, difference=0.9)}}},
    "A017": {"newest_in": {"801": DAY, "802": DAY - timedelta(days=60)}},
}


@pytest.mark.parametrize("code", OF_802)
def test_what_is_wrong_in_one_authority_is_not_hidden_by_the_records_of_the_others(code):
    whole = Evidence(judgement=Judgement(), season=BOTH, last_known=DAY, today=DAY)
    here = replace(whole, season=replace(BOTH, **OF_802[code]))
    assert up(whole, (code,)) == set()
    assert up(here, (code,)) == {(code, "802")}
