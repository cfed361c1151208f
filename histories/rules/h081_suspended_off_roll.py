"""The enrolment at that school is missing or has wrong dates, or the suspension is another child's."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the suspensions outside the child's enrolments at the school."""
    key = ["pupil_id", "urn", "start_date"]
    given = h.frame(table).filter(~nw.col("urn").is_null())
    rolls = h.frame("enrolments").select("pupil_id", "urn", "entry_date", "leaving_date")
    around = given.join(rolls, on=["pupil_id", "urn"], how="inner").filter(
        (nw.col("entry_date") <= nw.col("start_date"))
        & (nw.col("leaving_date").is_null() | (nw.col("leaving_date") >= nw.col("start_date")))
    )
    return given.join(around.select(*key).unique(), on=key, how="anti")


RULE = Rule(
    code="H081",
    severity="warning",
    title="suspensions from a school where the child was not on roll that day",
    reason=__doc__,
    do="Ask the school; check the entry and leaving dates.",
    places=("suspensions",),
    broken=broken,
    needs=("enrolments",),
)
