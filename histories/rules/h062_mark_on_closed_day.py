"""On a day with hardly any marks schools were closed; the few marks have the wrong date."""

from __future__ import annotations

from statistics import median_high

import narwhals as nw

from histories.checks.profile import marks_by_day
from histories.reading.histories import Histories
from histories.rules.rule import Rule, listed

OPEN = 0.02  # share of a usual day's marks


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the marks of days with hardly any."""
    days = marks_by_day(h)
    least = OPEN * median_high(days.values()) if days else 0
    closed = listed(h, [d for d, n in days.items() if n < least], "date")
    return h.frame(table).join(closed, on="date", how="semi")


RULE = Rule(
    code="H062",
    severity="warning",
    title="marks on days on which hardly any child has one",
    reason=__doc__,
    do="Were schools closed, or is the date wrong?",
    places=("attendance",),
    broken=broken,
)
