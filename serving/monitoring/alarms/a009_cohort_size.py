"""A cohort that jumps was imported in part, twice, or from other schools than before: every rank and count then changes its meaning."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, apart
from serving.monitoring.evidence import Evidence


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised]:
    """Compare the children of each authority's cohort with those of the same week a year before."""
    season = evidence.season
    is_judged = False
    for authority, (now, before) in season.children.items() if season else ():
        if before < limits["children"]:
            continue
        is_judged = True
        if not before / limits["ratio"] <= now <= before * limits["ratio"]:
            yield Raised(
                f"{now:,} children are in the cohort, {before:,} a year before",
                f"authority {authority or 'unknown'}",
                apart(now / max(before, 1)),
            )
    if not is_judged:
        raise NotJudged("the histories hold too few children of a year before")


ALARM = Alarm(
    code="A009",
    title="the size of the cohort has jumped",
    reason=__doc__ or "",
    do="Compare the schools of the newest import with those of the last (onroll check, onroll import --list).",
    since=date(2026, 11, 29),
    check=check,
    compares_years=True,
)
