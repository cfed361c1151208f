"""Either the event was planned, or one of the two dates is wrong and a score would know the future."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import START
from histories.rules.rule import Rule
from histories.tables import HAPPENED, TABLES

PLANNED = ("enrolments", "interventions")  # a place or a visit is rightly written down before


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the rows recorded before they happened."""
    return h.frame(table).filter(nw.col("recorded_on") < nw.col(HAPPENED[table]))


RULE = Rule(
    code="H030",
    severity="warning",
    title="rows recorded before they happened",
    reason=__doc__,
    do="Check the dates; planned events are fine.",
    places=tuple(t for t in START if "recorded_on" in TABLES[t].columns and t not in PLANNED),
    broken=broken,
)
