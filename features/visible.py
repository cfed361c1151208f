"""What was visible on a day: rows recorded before it, the latest correction of each, and ends only once recorded."""

from __future__ import annotations

import narwhals as nw

from histories.opening import Histories
from histories.tables import TABLES

# The day on which a row of each table happened.
HAPPENED = {
    "enrolments": "entry_date", "termly_attendance": "term_end", "suspensions": "start_date", "sen": "start_date",
    "fsm": "start_date", "addresses": "start_date", "social_care": "start_date", "cme": "missing_from", "interventions": "date",
    "pupils": "date_of_birth", "admissions": "known", "attendance": "date",
}  # fmt: skip
# Tables whose rows may lie ahead of the day and are visible all the same, such as an entry agreed for next month.
KEEPS_FUTURE = ("enrolments", "admissions")


def visible(histories: Histories, table: str, snapshots: nw.LazyFrame) -> nw.LazyFrame:
    """Join each snapshot with its pupil's rows of a table as they were visible on the as-of date.

    Parameters
    ----------
    snapshots : LazyFrame
        ``pupil_id`` and ``as_of`` (day number), on the engine of the histories.

    Returns
    -------
    LazyFrame
        The table's columns, ``as_of`` and ``age``: days from the row's own date to the as-of date.
    """
    declared = TABLES[table]
    rows = histories.frame(table)
    joined = (
        snapshots.select("pupil_id", "as_of")
        .join(rows, on="pupil_id", how="inner")
        .filter(nw.col("known") < nw.col("as_of"))
    )
    # Ties of recording are broken by every other column, so that engines agree on which row stands.
    ties = [c for c in declared.columns if c not in declared.key]
    joined = joined.unique(subset=["as_of", *declared.key], keep="last", order_by=["known", *ties])
    hidden = []
    if declared.end:
        seen = nw.col("end_known") < nw.col("as_of")
        hidden = [nw.when(seen).then(nw.col(c)).alias(c) for c in declared.end_columns]
    for stage in declared.stages:
        seen = nw.col(stage.date) < nw.col("as_of")
        hidden += [nw.when(seen).then(nw.col(c)).alias(c) for c in stage.columns]
    joined = joined.with_columns(*hidden) if hidden else joined
    return joined.with_columns((nw.col("as_of") - nw.col(HAPPENED[table])).alias("age"))
