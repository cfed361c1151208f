"""A child who attends is not missing; the case was never closed and keeps the child out of the cohort."""

from __future__ import annotations

import narwhals as nw

from histories.codes import attendance_class
from histories.reading.histories import Histories
from histories.rules.days import corrected
from histories.rules.rule import Rule

SESSIONS = 10


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the children with an open case and a week of attendance since the report."""
    cases = corrected(h, table).filter(nw.col("resolved_on").is_null()).group_by("pupil_id")
    since = cases.agg(nw.col("reported_on").min())
    present = h.frame("attendance").filter(nw.col("code").is_in(list(attendance_class("present"))))
    marks = present.join(since, on="pupil_id", how="inner").filter(nw.col("date") > nw.col("reported_on"))
    return marks.group_by("pupil_id").agg(nw.len().alias("marks")).filter(nw.col("marks") >= SESSIONS)


RULE = Rule(
    code="H102",
    severity="warning",
    title="open cases of children who are marked present",
    reason=__doc__,
    do="Close the case with the date of return.",
    places=("cme",),
    broken=broken,
    needs=("attendance",),
)
