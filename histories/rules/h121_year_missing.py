"""A year that was not imported looks quiet; its events are missing from every window and rate."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import START, school_year
from histories.rules.rule import Rule, listed

MIN = 20  # rows of the year before, below which nothing may well have happened


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the empty school years that follow one with rows."""
    years = h.frame(table).select(school_year(nw.col(START[table])).alias("year")).group_by("year")
    counts = years.agg(nw.len().alias("n")).collect()
    rows = dict(zip(counts["year"].to_list(), counts["n"].to_list(), strict=True))
    before = [y for y, n in rows.items() if n >= MIN and y < max(rows)]
    return listed(h, [y + 1 for y in before if y + 1 not in rows])


RULE = Rule(
    code="H121",
    severity="warning",
    title="school years without a row between years with rows",
    reason=__doc__,
    do="Import the year.",
    places=("enrolments", "suspensions", "sen", "addresses", "social_care", "cme"),
    broken=broken,
)
