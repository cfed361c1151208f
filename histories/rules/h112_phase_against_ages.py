"""Phase transfers are derived from the school's phase; a wrong one hides them for every pupil of the school."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return primary schools that start at eleven and secondary schools that end before twelve."""
    primary = (nw.col("phase") == "primary") & (nw.col("low_age") >= 11)
    secondary = (nw.col("phase") == "secondary") & (nw.col("high_age") <= 11)
    return h.frame(table).filter(primary | secondary)


RULE = Rule(
    code="H112",
    severity="warning",
    title="schools whose phase does not fit their age range",
    reason=__doc__,
    do="Correct the phase or the ages from the national list.",
    places=("schools",),
    broken=broken,
)
