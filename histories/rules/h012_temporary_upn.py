"""A temporary UPN is to be replaced by the child's own: while it stays, what other schools and services know of the child does not join."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import newest_day
from histories.reading.histories import Histories
from histories.rules.days import YEAR
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the pupils whose UPN still ends in a letter."""
    came = h.frame("enrolments").group_by("pupil_id").agg(nw.col("entry_date").min().alias("came"))
    own = h.frame(table).filter(nw.col("upn").str.contains("[A-Z]$")).join(came, on="pupil_id", how="inner")
    return own.filter(nw.col("came") + YEAR < newest_day(h))


RULE = Rule(
    code="H012",
    severity="warning",
    title="temporary UPNs of pupils who came over a year ago",
    reason=__doc__,
    do="Ask the schools for the permanent UPN.",
    places=("pupils",),
    broken=broken,
    needs=("enrolments",),
)
