"""A bulk load stamps every row with the day of the load; for earlier days nothing was known, and a model trained on those days learns from empty histories."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import START, YEAR
from histories.rules.rule import Rule
from histories.tables import TABLES

NEARLY = 0.9
MIN = 200  # rows below which a table may well come in one day


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the rows of the day on which nearly all were recorded, if they span more than a year."""
    day = nw.col(START[table])
    recorded = h.frame(table).filter(~nw.col("recorded_on").is_null()).group_by("recorded_on")
    days = recorded.agg(nw.len().alias("n"), (day.max() - day.min()).alias("span")).collect()
    rows = sum(days["n"].to_list())
    loads = [
        load["recorded_on"]
        for load in days.iter_rows(named=True)
        if rows >= MIN and load["n"] > NEARLY * rows and load["span"] > YEAR
    ]
    return h.frame(table).filter(nw.col("recorded_on").is_in(loads)) if loads else h.frame(table).head(0)


RULE = Rule(
    code="H033",
    severity="warning",
    title="tables that span years but were recorded on one day",
    reason=__doc__,
    do="Give the rows their original recording dates, or train only on days after the load.",
    places=tuple(t for t in START if "recorded_on" in TABLES[t].columns),
    broken=broken,
)
