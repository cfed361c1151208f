"""Systems enter 1900 or 9999 for an unknown date; such a spell lasts a century, and such a leaving never happens."""

from __future__ import annotations

from datetime import date

import narwhals as nw

from histories.calendar import day_number
from histories.reading.histories import Histories
from histories.rules.rule import Rule
from histories.tables import TABLES

EARLY, LATE = day_number(date(1990, 1, 1)), day_number(date(2100, 1, 1))
DATED = {t.table: [c.name for c in t.columns.values() if c.kind == "date"] for t in TABLES.values()}
DATES = {table: columns for table, columns in DATED.items() if columns}


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the rows with a placeholder date."""
    odd = ((nw.col(c) < EARLY) | (nw.col(c) > LATE) for c in DATES[table])
    return h.frame(table).filter(nw.any_horizontal(*odd, ignore_nulls=True))


RULE = Rule(
    code="H022",
    severity="warning",
    title="dates before 1990 or after 2100",
    reason=__doc__,
    do="Leave unknown dates empty.",
    places=tuple(DATES),
    broken=broken,
)
