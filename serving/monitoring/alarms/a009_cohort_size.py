"""A cohort that jumps was imported in part, twice, or from other schools than before: every rank and count then changes its meaning."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, Unjudged, apart
from serving.monitoring.evidence import Evidence

FEW = "the histories hold too few children of a year before"


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised | Unjudged]:
    """Compare the children of each authority's cohort with those of the same week a year before."""
    season = evidence.season
    is_judged = False
    for authority, (now, before) in season.children.items() if season else ():
        place = f"authority {authority or 'unknown'}"
        if before < limits["children"]:
            yield Unjudged(FEW, place)
            continue
        is_judged = True
        if not before / limits["ratio"] <= now <= before * limits["ratio"]:
            yield Raised(
                f"{now:,} children are in the cohort, {before:,} a year before",
                place,
                apart(now / max(before, 1)),
            )
    if not is_judged:
        raise NotJudged(FEW)


ALARM = Alarm(
    code="A009",
    title="the size of the cohort has jumped",
    reason=__doc__ or "",
    do="Compare the schools of the newest import with those of the last (onroll check, onroll import --list).",
    since=date(2026, 11, 29),
    check=check,
    compares_years=True,
)
