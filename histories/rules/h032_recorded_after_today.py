"""A score uses rows recorded before its as-of date, so a row recorded in the future is hidden from every score."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import today
from histories.rules.rule import Rule
from histories.tables import TABLES

RECORDED = ("recorded_on", "leaving_recorded_on", "end_recorded_on", "reported_on")
CLOCKS = {t.table: [c for c in RECORDED if c in t.columns] for t in TABLES.values() if set(RECORDED) & set(t.columns)}


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the rows with a recording date in the future."""
    late = (nw.col(c) > today() for c in CLOCKS[table])
    return h.frame(table).filter(nw.any_horizontal(*late, ignore_nulls=True))


RULE = Rule(
    code="H032",
    severity="error",
    title="rows recorded in the future",
    reason=__doc__,
    do="Correct the recording date, or leave it empty.",
    places=tuple(CLOCKS),
    broken=broken,
)
