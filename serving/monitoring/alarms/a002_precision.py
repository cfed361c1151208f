"""A team reviews the first children of the list. If far fewer of them go missing than promised, its time is spent on the wrong children."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, Unjudged, apart
from serving.monitoring.evidence import Evidence
from serving.monitoring.promises import at_capacity, expected_children

FEW = "too few children were expected to go missing among the first of these lists; with more 'most_days' more lists are looked at"


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised | Unjudged]:
    """Compare the precision among the first children of the newest matured days with their mean risk, in each authority.

    While few of them were expected to go missing, more days are looked at: a team of a few places sees the same few children week by week.
    """
    is_judged = False
    for of in evidence.current():
        recent = evidence.until_enough(of, limits, _expected_first)
        scored, unscored = recent.outcomes.scored, recent.outcomes.unscored
        first = at_capacity(scored, unscored, scored["places"].max() or 0)  # type: ignore[arg-type]
        if first.promised is None or first.precision is None or recent.expected < limits["expected"]:
            yield Unjudged(FEW, recent.place)
            continue
        is_judged = True
        if first.precision.high < limits["share"] * first.promised:
            what = (
                f"{first.found} of the first {first.listed} children went missing, {first.precision.value:.1%} "
                f"({first.precision.low:.1%} to {first.precision.high:.1%}), where the risks promised {first.promised:.1%}"
            )
            yield Raised(what, recent.where, apart(first.precision.value / first.promised), place=recent.place)
    if not is_judged:
        raise NotJudged(FEW)


def _expected_first(known: pl.DataFrame) -> float:
    return expected_children(known.filter(pl.col("rank") <= pl.col("places")))


ALARM = Alarm(
    code="A002",
    title="the first children of the list go missing less often than promised",
    reason=__doc__ or "",
    do="Ask first whether help kept them in education: then this is no fault of the list, and nothing here can tell. If not, train again or withdraw.",
    since=date(2026, 11, 30),
    check=check,
)
