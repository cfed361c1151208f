"""A mark, suspension or case dated in the future usually has day and month swapped, and will count once that day comes."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import START, today
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the rows that begin after today."""
    return h.frame(table).filter(nw.col(START[table]) > today())


RULE = Rule(
    code="H023",
    severity="warning",
    title="rows dated in the future",
    reason=__doc__,
    do="Check the date format.",
    places=("attendance", "termly_attendance", "suspensions", "sen", "social_care", "cme"),
    broken=broken,
)
