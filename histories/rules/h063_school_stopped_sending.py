"""The latest weeks of a school that stopped sending are missing, so its pupils' absence raises no warning."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import marks_of_pupils
from histories.reading.histories import Histories
from histories.rules.rule import Rule, listed

SILENT = 21  # days


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the schools with pupils on roll whose newest mark is old."""
    running = h.frame("enrolments").filter(nw.col("leaving_date").is_null()).select("pupil_id", "urn").unique()
    schools = running.join(marks_of_pupils(h), on="pupil_id", how="inner").group_by("urn").agg(nw.col("last").max())
    days = schools.collect()["last"].to_list()
    return listed(h, [d for d in days if d < max(days) - SILENT])


RULE = Rule(
    code="H063",
    severity="warning",
    title="schools with pupils on roll that have sent no marks for three weeks",
    reason=__doc__,
    do="Ask the school or its supplier.",
    places=("attendance",),
    broken=broken,
    needs=("enrolments",),
)
