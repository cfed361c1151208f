"""Risks that are much higher or lower than in the same weeks of earlier years show changed inputs months before outcomes can."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, Unjudged, apart
from serving.monitoring.evidence import Evidence
from serving.store.scores.complete_lists import CompleteList

YEAR = 364  # the same weekday
MARKS = "attendance"
NO_MARKS = "lists are made without daily marks: counts of a term move all risks at once"
NO_LIST = "there is no list of the same weeks of an earlier year"
FEW = "so few children are expected to go missing that one of them moves the mean risk"


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised | Unjudged]:
    """Compare the mean risk of each authority's newest list with that of lists of the same weeks of earlier years.

    Of few expected children one alone can double the mean, so that the difference must be of more than one child too.
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
        before = sum(x.mean_risk * x.children for x in earlier) / children
        expected = [mean * newest.children for mean in (before, newest.mean_risk)]
        if max(expected) < limits["expected"]:
            why = FEW
            yield Unjudged(FEW, newest.place)
            continue
        is_judged = True
        times = newest.mean_risk / before if before else 1.0
        is_more_than_one = abs(expected[1] - expected[0]) >= limits["expected"]
        if is_more_than_one and not 1 / limits["ratio"] <= times <= limits["ratio"]:
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
    since=date(2026, 11, 30),
    check=check,
)
