"""A table that is no longer sent looks like a life in which nothing happens: no suspension, no case, no absence."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import newest_day
from histories.reading.histories import Histories
from histories.rules.rule import Rule, listed

HALF_A_YEAR = 183
MIN = 100  # rows


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the newest recording date if it is old; small tables may have had nothing to record."""
    rows = h.frame(table).select(nw.len().alias("n"), nw.col("known").max().alias("newest")).collect()
    n, newest = rows["n"].to_list()[0], rows["newest"].to_list()[0]
    return listed(h, [newest] if n >= MIN and newest_day(h) - newest > HALF_A_YEAR else [])


RULE = Rule(
    code="H120",
    severity="warning",
    title="tables whose newest row is half a year older than the newest of all",
    reason=__doc__,
    do="Import the later rows.",
    places=("enrolments", "attendance", "suspensions", "sen", "addresses", "social_care", "cme"),
    broken=broken,
    needs=("enrolments",),
)
