"""A score sees what was recorded before its day: a row recorded in the future is hidden from every score that can be asked for."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import today
from histories.rules.rule import Rule
from histories.tables import TABLES

RECORDED = ("recorded_on", "leaving_recorded_on", "end_recorded_on", "reported_on")
CLOCKS = {t.table: [c for c in RECORDED if c in t.columns] for t in TABLES.values() if set(RECORDED) & set(t.columns)}


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the rows that claim to be recorded in the future."""
    late = (nw.col(c) > today() for c in CLOCKS[table])
    return h.frame(table).filter(nw.any_horizontal(*late, ignore_nulls=True))


RULE = Rule(
    code="H032",
    severity="error",
    title="rows recorded after today",
    reason=__doc__,
    do="Correct the day of recording, or leave it empty.",
    places=tuple(CLOCKS),
    broken=broken,
)
