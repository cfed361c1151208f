"""A temporary UPN must be replaced by the permanent one; until then, records from other schools and services do not link."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import newest_day
from histories.reading.histories import Histories
from histories.rules.days import YEAR
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the pupils who still have a temporary UPN, which ends in a letter."""
    joined = h.frame("enrolments").group_by("pupil_id").agg(nw.col("entry_date").min().alias("joined"))
    temporary = h.frame(table).filter(nw.col("upn").str.contains("[A-Z]$")).join(joined, on="pupil_id", how="inner")
    return temporary.filter(nw.col("joined") + YEAR < newest_day(h))


RULE = Rule(
    code="H012",
    severity="warning",
    title="temporary UPNs of pupils who joined over a year ago",
    reason=__doc__,
    do="Ask the schools for the permanent UPN.",
    places=("pupils",),
    broken=broken,
    needs=("enrolments",),
)
