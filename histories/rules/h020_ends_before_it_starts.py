"""A spell that ends before it starts covers no day, so the child appears off roll, without a plan or without a home."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import START
from histories.rules.rule import Rule
from histories.tables import TABLES

ENDS = {t.table: t.end for t in TABLES.values() if t.end} | {"termly_attendance": "term_end"}


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the rows that end before they start."""
    return h.frame(table).filter(nw.col(ENDS[table]) < nw.col(START[table]))


RULE = Rule(
    code="H020",
    severity="error",
    title="spells that end before they start",
    reason=__doc__,
    do="Correct one of the two dates.",
    places=tuple(ENDS),
    broken=broken,
)
