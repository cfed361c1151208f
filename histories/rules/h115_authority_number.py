"""Ranks and rates are taken within an authority: written in two ways, or as a code of the statistics office, it becomes two."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, place: str) -> nw.LazyFrame:
    """Return the rows whose authority has another form."""
    table, column = place.split(".")
    return h.frame(table).filter(~nw.col(column).is_null() & ~nw.col(column).str.contains(r"^\d{3}$"))


RULE = Rule(
    code="H115",
    severity="warning",
    title="authorities that are not written as a number of three digits",
    reason=__doc__,
    do="Write the three digits that the department uses, such as 801.",
    places=("pupils.authority", "schools.authority"),
    broken=broken,
)
