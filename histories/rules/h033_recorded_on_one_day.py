"""After a bulk load every row is as new as the load: as of any day before it nothing was known, and a model trained there learns from blanks."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import START, YEAR
from histories.rules.rule import Rule
from histories.tables import TABLES

NEARLY = 0.9
MIN = 200  # rows below which a table may well come in one day


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the rows of the day on which nearly all were recorded, when they tell of more than a year."""
    day = nw.col(START[table])
    days = h.frame(table).filter(~nw.col("recorded_on").is_null()).group_by("recorded_on")
    found = days.agg(nw.len().alias("n"), (day.max() - day.min()).alias("tells")).collect()
    rows = sum(found["n"].to_list())
    loads = [
        load["recorded_on"]
        for load in found.iter_rows(named=True)
        if rows >= MIN and load["n"] > NEARLY * rows and load["tells"] > YEAR
    ]
    return h.frame(table).filter(nw.col("recorded_on").is_in(loads)) if loads else h.frame(table).head(0)


RULE = Rule(
    code="H033",
    severity="warning",
    title="tables of years that were all recorded on one day",
    reason=__doc__,
    do="Give the rows the day they were first recorded, or train only on days after the load.",
    places=tuple(t for t in START if "recorded_on" in TABLES[t].columns),
    broken=broken,
)
