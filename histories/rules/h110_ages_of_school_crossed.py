"""The age range says which children belong to a school and when they move on; reversed, it fits nobody."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the schools with a reversed age range."""
    return h.frame(table).filter(nw.col("low_age") > nw.col("high_age"))


RULE = Rule(
    code="H110",
    severity="warning",
    title="schools whose lowest age is above the highest",
    reason=__doc__,
    do="Correct the ages from the national list.",
    places=("schools",),
    broken=broken,
)
