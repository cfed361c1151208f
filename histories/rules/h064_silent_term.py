"""A window over a term without marks is empty, so a year's absence covers only the other terms."""

from __future__ import annotations

import narwhals as nw

from histories.calendar import day_number, day_of, term_dates
from histories.checks.profile import marks_by_day
from histories.reading.histories import Histories
from histories.rules.rule import Rule, listed


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the terms without marks between the first and the last mark."""
    have = marks_by_day(h).keys()
    if not have:
        return listed(h, [])
    first, last = day_of(min(have)), day_of(max(have))
    terms = [t for y in range(first.year - 1, last.year + 1) for t in term_dates(y) if t.start > first and t.end < last]
    return listed(h, [day_number(t.start) for t in terms if not have & {day_number(d) for d in t.school_days}])


RULE = Rule(
    code="H064",
    severity="warning",
    title="terms without a single mark",
    reason=__doc__,
    do="Import the term, or accept that windows over it are empty.",
    places=("attendance",),
    broken=broken,
)
