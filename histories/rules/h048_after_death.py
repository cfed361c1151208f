"""A family must never be contacted about a child who has died: the destination is wrong, or someone still records events."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import marks_of_pupils
from histories.reading.histories import Histories
from histories.rules.days import START, corrected
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the rows dated after a leaving with destination deceased; for marks, the children."""
    died = corrected(h, "enrolments").filter(nw.col("destination") == "deceased")
    died = died.group_by("pupil_id").agg(nw.col("leaving_date").min().alias("died"))
    rows, day = (marks_of_pupils(h), "last") if table == "attendance" else (h.frame(table), START[table])
    return rows.join(died, on="pupil_id", how="inner").filter(nw.col(day) > nw.col("died"))


RULE = Rule(
    code="H048",
    severity="error",
    title="rows dated after the pupil's death",
    reason=__doc__,
    do="Clarify this before anything is sent; correct the destination or end the spells.",
    places=("enrolments", "attendance", "suspensions", "sen", "cme"),
    broken=broken,
    needs=("enrolments",),
)
