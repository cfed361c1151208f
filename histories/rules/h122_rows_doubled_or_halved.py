"""Suspensions and cases do not double in a year: a definition changed, rows were sent twice or left out, and the model learns it as a real change."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import START, school_year
from histories.rules.rule import Rule, listed

MIN = 100  # rows of a year below which chance makes the change


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the school years that stand out, except the first two and the current one."""
    years = h.frame(table).select(school_year(nw.col(START[table])).alias("year")).group_by("year")
    counts = years.agg(nw.len().alias("n")).collect()
    rows = dict(zip(counts["year"].to_list(), counts["n"].to_list(), strict=True))
    pairs = {y: (rows[y - 1], n) for y, n in rows.items() if y - 1 in rows and min(rows) < y - 1 and y < max(rows)}
    return listed(h, [y for y, (before, n) in pairs.items() if before >= MIN and not before / 2 <= n <= before * 2])


RULE = Rule(
    code="H122",
    severity="warning",
    title="years with more than twice, or less than half, the rows of the year before",
    reason=__doc__,
    do="Find out what changed in the recording, or train on the years since.",
    places=("suspensions", "social_care", "cme"),
    broken=broken,
)
