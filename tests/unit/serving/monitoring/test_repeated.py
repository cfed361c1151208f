"""The same children on several lists say no more than they say once, however few or many of them went missing."""

from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from serving.monitoring.alarms import ALARMS, load_limits
from serving.monitoring.evidence import Evidence
from serving.monitoring.judge import Terms, judge
from serving.monitoring.promises import at_capacity, compare
from serving.monitoring.repeated import promised_design
from serving.monitoring.results import by_place
from serving.monitoring.shareable import shareable
from tests.support.monitored import DAY, histories, reader, stored_list
from tests.support.reported import report

CHILDREN, RISK, HORIZON = 20, 0.15, 120
NOBODY = pl.DataFrame({"label": []}, schema={"label": pl.Float64})


def lists(gone, times, apart=1):
    """The same children on lists so many days apart, of whom the first ``gone`` go missing; the first half are the first of the list."""
    child = range(CHILDREN)
    one = pl.DataFrame(
        {"pupil_id": child, "rank": range(1, CHILDREN + 1), "label": [float(n < gone) for n in child]}
    ).with_columns(risk=RISK, places=CHILDREN // 2, horizon=HORIZON)
    return pl.concat([one.with_columns(as_of=pl.lit(DAY + timedelta(days=n * apart))) for n in range(times)])


def intervals(scored):
    first = at_capacity(scored, NOBODY, CHILDREN // 2)
    return {"ratio": compare(scored).ratio, "precision": first.precision, "capture": first.capture}


@pytest.mark.parametrize("times", [2, 8, 26])
@pytest.mark.parametrize("gone", [0, 1, 2, CHILDREN // 2, CHILDREN - 1, CHILDREN])
def test_no_interval_is_narrower_because_the_same_children_are_listed_again(gone, times):
    once, again = intervals(lists(gone, 1)), intervals(lists(gone, times))
    for name, interval in once.items():
        if interval is None:
            assert again[name] is None
            continue
        assert again[name].value == pytest.approx(interval.value)
        assert again[name].low <= interval.low + 0.05
        assert again[name].high >= interval.high - 0.05


def test_one_child_who_goes_missing_late_is_one_child():
    """On seven of eight lists the label is 0, so that what came shows no sign of repeated children."""
    scored = lists(0, 8).with_columns(
        label=((pl.col("pupil_id") == 0) & (pl.col("as_of") == DAY + timedelta(days=7))).cast(pl.Float64)
    )
    assert intervals(scored)["precision"].high > intervals(lists(0, 1))["precision"].high


@pytest.mark.parametrize(("apart", "low", "high"), [(1, 7.7, 8.0), (7, 6.5, 7.0), (30, 3.2, 3.8), (120, 1.0, 1.0)])
def test_lists_share_what_comes_as_far_as_their_windows_overlap(apart, low, high):
    assert low <= promised_design(lists(0, 8, apart)) <= high


@pytest.mark.parametrize("code", ["A001", "A002", "A003"])
@pytest.mark.parametrize(("children", "state"), [(8, "not_judged"), (60, "up")])
def test_alarms_of_weekly_lists_of_the_same_children_count_children(code, children, state):
    """8 children of 15% on 8 lists are 1.2 expected children, not 9.6: that none goes missing happens in 27 of 100 such teams."""
    risks = [RISK] * children
    weekly = {stored_list(risks, day=DAY - timedelta(weeks=n)): risks for n in range(8)}
    judgement = judge(histories(gone=()), list(weekly), reader(weekly), Terms(capacity=children))
    judgement.manifests["1"] = SimpleNamespace(base_rate=RISK)
    alarm = next(a for a in ALARMS if a.code == code)
    (result,) = alarm.results(Evidence(judgement=judgement, lists=list(weekly)), load_limits()[code])
    assert result.state == state


def test_the_page_widens_its_precision_as_the_terminal_does_but_by_no_outcome():
    """26 lists of the same 40 children are not 1,040 children; and outcomes that come otherwise do not move how much."""
    risks = [0.25] * 40
    daily = {stored_list(risks, day=DAY - timedelta(days=n)): risks for n in range(26)}
    judgement = judge(histories(gone=range(10)), list(daily), reader(daily), Terms(capacity=40))
    exact = judgement.versions[0].figures.first.precision
    _, low, high = shareable(report(judgement=judgement), "801")["versions"][0]["first"]["precision"]
    assert (low, high) == pytest.approx((exact.low, exact.high), abs=0.01)


def test_hardly_any_of_many_schools_is_named_by_chance():
    """80 schools whose risks are right, drawn five times: at 95% each, one or two would be named each time."""
    rng = np.random.Generator(np.random.PCG64(7))
    one = pl.DataFrame({"pupil_id": range(80 * 100), "urn": [str(n // 100) for n in range(80 * 100)], "risk": 0.05})
    one = one.with_columns(as_of=pl.lit(DAY), horizon=HORIZON, authority=pl.lit("801"))
    named = 0
    for _ in range(5):
        came = one.with_columns(label=pl.Series(rng.binomial(1, 0.05, len(one)).astype(float)))
        named += sum(not c.kept for c in by_place(came)["school"].values())
    assert named <= 2
