"""Schools keep no weekend register; day and month may be swapped, and every window then counts the wrong days."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the marks on a weekend."""
    return h.frame(table).filter((nw.col("date") + 3) % 7 >= 5)  # day 0 was a Thursday


RULE = Rule(
    code="H061",
    severity="warning",
    title="marks on a Saturday or Sunday",
    reason=__doc__,
    do="Check the date format: day and month may be swapped.",
    places=("attendance",),
    broken=broken,
)
