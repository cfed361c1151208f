"""A negative count is subtracted from true ones, so sums and rates of the child, the school and the year are wrong."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, place: str) -> nw.LazyFrame:
    """Return the rows with a negative count."""
    table, column = place.split(".")
    return h.frame(table).filter(nw.col(column) < 0)


RULE = Rule(
    code="H071",
    severity="error",
    title="negative counts",
    reason=__doc__,
    do="Correct the counts, or leave them empty.",
    places=("termly_attendance.sessions", "suspensions.sessions"),
    broken=broken,
)
