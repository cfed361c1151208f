"""A list made without a table that earlier lists had is made by a weaker model, though it looks the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, Unjudged
from serving.monitoring.evidence import Evidence

FIRST = "there is no earlier list to compare with"


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised | Unjudged]:
    """Compare the missing tables of each authority's newest list with those of its earlier lists."""
    is_judged = False
    for newest in evidence.newest_lists():
        place = newest.authority, newest.as_of, limits["days"]
        if len(evidence.lists_until(*place)) < 2:  # the newest itself is one
            yield Unjudged(FIRST, newest.place)
            continue
        is_judged = True
        for table in newest.missing_tables:
            had = evidence.newest_with(table, *place)
            if had:
                yield Raised(f"it was made without {table}; the list of {had} had it", newest.place, {table: 1.0})
    if not is_judged:
        raise NotJudged(FIRST)


ALARM = Alarm(
    code="A006",
    title="a table is missing that earlier lists had",
    reason=__doc__ or "",
    do="Import the table (onroll doctor says where it comes from), score again, and tell the team that this list is weaker.",
    since=date(2026, 11, 29),
    check=check,
)
