"""Ranks and rates are calculated within an authority; written in two forms, such as an ONS code, it becomes two."""

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
    title="authorities not written as a three-digit number",
    reason=__doc__,
    do="Use the DfE's three-digit number, such as 801.",
    places=("pupils.authority", "schools.authority"),
    broken=broken,
)
