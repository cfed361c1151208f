"""Risks that are much higher or lower than in the same weeks of earlier years show changed inputs months before outcomes can."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, Unjudged, apart
from serving.monitoring.evidence import Evidence
from serving.store.scores.complete_lists import CompleteList

YEAR = 364  # the same weekday
MARKS = "attendance"
NO_MARKS = "lists are made without daily marks: counts of a term move all risks at once"
NO_LIST = "there is no list of the same weeks of an earlier year"
FEW = "hardly any child is expected to go missing"


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised | Unjudged]:
    """Compare the mean risk of each authority's newest list with that of lists of the same weeks of earlier years.

    Which children there are is chance: if each comes by itself, the variance of the sum of risks is the sum of their squares (a compound
    Poisson sum). So a few children at high risk do not count as a change of all. Earlier lists hold much the same children, and count as one.
    """
    is_judged, why = False, f"{NO_LIST}, or {NO_MARKS}"
    for newest in evidence.newest_lists():
        if MARKS in newest.missing_tables:
            yield Unjudged(NO_MARKS, newest.place)
            continue
        earlier = [x for x in evidence.lists_of(newest.authority) if _same_weeks(x, newest, limits["days"])]
        children = sum(x.children for x in earlier)
        if not children:
            yield Unjudged(NO_LIST, newest.place)
            continue
        before, square = (
            sum(getattr(x, name) * x.children for x in earlier) / children for name in ("mean_risk", "mean_square")
        )
        if max(before, newest.mean_risk) * newest.children < limits["expected"]:
            why = FEW
            yield Unjudged(FEW, newest.place)
            continue
        is_judged = True
        times = newest.mean_risk / before if before else 1.0
        chance = math.sqrt(square * len(earlier) / children + newest.mean_square / newest.children)
        is_chance = abs(newest.mean_risk - before) < limits["deviations"] * chance
        if not is_chance and not 1 / limits["ratio"] <= times <= limits["ratio"]:
            what = f"the mean risk is {newest.mean_risk:.2%}, {times:.2g} times the {before:.2%} of {len(earlier)} lists of the same weeks"
            yield Raised(what, newest.place, apart(times))
    if not is_judged:
        raise NotJudged(why)


def _same_weeks(x: CompleteList, newest: CompleteList, days: int) -> bool:
    apart = (newest.as_of - x.as_of).days
    years = round(apart / YEAR)
    return years >= 1 and abs(apart - years * YEAR) <= days


ALARM = Alarm(
    code="A007",
    title="risks are far from those of the same weeks of earlier years",
    reason=__doc__ or "",
    do="Look for what changed in the records (the other alarms, onroll check), or for another model version, before the team works by the list.",
    since=date(2026, 12, 1),
    check=check,
)
