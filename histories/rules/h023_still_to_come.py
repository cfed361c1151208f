"""A register, a suspension or a case of tomorrow is a date with day and month swapped; it will be believed when its day comes."""

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
    title="rows of days that are still to come",
    reason=__doc__,
    do="Look at the form of the dates.",
    places=("attendance", "termly_attendance", "suspensions", "sen", "social_care", "cme"),
    broken=broken,
)
