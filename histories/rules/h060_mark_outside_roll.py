"""A mark proves that a child attended; without an enrolment the roll is wrong and the child may not be scored."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import marks_of_pupils
from histories.reading.histories import Histories
from histories.reading.usable import NEVER
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the children with marks outside their enrolments."""
    until = nw.coalesce(nw.col("leaving_date"), nw.lit(NEVER)).alias("until")
    rolls = h.frame("enrolments").with_columns(until).group_by("pupil_id")
    ends = rolls.agg(nw.col("entry_date").min().alias("entry"), nw.col("until").max())
    return (
        marks_of_pupils(h)
        .join(ends, on="pupil_id", how="left")
        .filter(nw.col("entry").is_null() | (nw.col("first") < nw.col("entry")) | (nw.col("last") > nw.col("until")))
    )


RULE = Rule(
    code="H060",
    severity="warning",
    title="pupils with marks before their first or after their last day on a roll",
    reason=__doc__,
    do="Is a spell missing from enrolments?",
    places=("attendance",),
    broken=broken,
    needs=("enrolments",),
)
