"""What was visible as of a day: rows recorded before it, the newest correction of each, and ends once they were recorded."""

from __future__ import annotations

from datetime import date

import narwhals as nw

from histories.calendar import day_number
from histories.codes import YIELDING
from histories.reading.histories import Histories
from histories.tables import HAPPENED, TABLES, Table


def seen(recorded: nw.Expr, happened: nw.Expr, known_on: date | None) -> nw.Expr:
    """Return whether an event with a recording date and an event date is visible as of ``as_of``.

    By default it is visible if it was recorded before the as-of date. With a day of knowledge, it must be recorded before that
    day, and must have been recorded or have happened before the as-of date. So a later day of knowledge adds late records but no
    future, an earlier one removes records, and the as-of date itself changes nothing.
    """
    in_time = recorded < nw.col("as_of")
    if known_on is None:
        return in_time
    return (recorded < day_number(known_on)) & (in_time | (happened < nw.col("as_of")))


def visible(histories: Histories, table: str, snapshots: nw.LazyFrame, known_on: date | None = None) -> nw.LazyFrame:
    """Join each snapshot to its pupil's rows in a table as visible on the as-of date.

    Parameters
    ----------
    snapshots : LazyFrame
        ``pupil_id`` and ``as_of`` (day number), on the engine of the histories.
    known_on : date, optional
        The day of knowledge for all as-of dates; by default each as-of date is its own. See ``seen``.

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
        .filter(seen(nw.col("known"), happened(declared), known_on))
    )
    hidden = []
    if declared.end:
        ended = seen(nw.col("end_known"), nw.col(declared.end), known_on)
        # Hide the end's recording date too: knowing it leaks the future.
        with_it = dict.fromkeys((*declared.end_columns, *declared.end_known_from, "end_known"))
        hidden = [nw.when(ended).then(nw.col(c)).alias(c) for c in with_it]
    for stage in declared.stages:
        come = seen(nw.col(stage.date), nw.col(stage.date), known_on)
        hidden += [nw.when(come).then(nw.col(c)).alias(c) for c in stage.columns]
    joined = joined.with_columns(*hidden) if hidden else joined
    joined = joined.unique(subset=["as_of", *declared.key], keep="last", order_by=correction_order(declared))
    return joined.with_columns((nw.col("as_of") - nw.col(HAPPENED[table])).alias("age"))


def correction_order(declared: type[Table]) -> list[str]:
    """Return the columns by which the versions of a row are ordered; the last one counts, once what is not visible is hidden.

    Of rows recorded on one day, the last recorded end corrects the others. All other columns follow, so that engines agree on the last row.
    """
    ends_apart = declared.end is not None and declared.end_known_from[0] != declared.end
    ties = [c for c in declared.columns if c not in declared.key]
    return ["known", *(["end_known"] if ends_apart else []), *ties]


def come(rows: nw.LazyFrame, table: str) -> nw.LazyFrame:
    """Keep the visible rows whose own date has come, and hide ends that are still ahead: what is planned has not happened.

    An end is the last day, so one on the as-of date is still ahead.

    Parameters
    ----------
    rows : LazyFrame
        See ``visible``.
    """
    declared = TABLES[table]
    if declared.stages:  # each of its dates is hidden until it has come
        return rows
    begun = rows.filter((nw.col("age") >= 0) | nw.col("age").is_null())
    if not declared.end:
        return begun
    over = nw.col(declared.end) < nw.col("as_of")
    with_it = dict.fromkeys((*declared.end_columns, *declared.end_known_from, "end_known"))
    return begun.with_columns(*(nw.when(over).then(nw.col(c)).alias(c) for c in with_it))


def valid_marks(marks: nw.LazyFrame) -> nw.LazyFrame:
    """Return the valid mark of each session: the last recorded and, of several recorded on one day, the last code.

    Of those recorded on one day the codes ``YIELDING`` come first: another school says where the child was.
    """
    key = ["pupil_id", "date", "session"]
    return _with_says(marks).unique(subset=key, keep="last", order_by=["known", "says", "code"]).drop("says")


def _with_says(marks: nw.LazyFrame) -> nw.LazyFrame:
    """Add whether a mark says where the child was."""
    return marks.with_columns((~nw.col("code").is_in(list(YIELDING))).cast(nw.Int32).alias("says"))


def happened(declared: type[Table]) -> nw.Expr:
    """Return the day on which a row happened: for a row with stages, the first of them, or else the recording date."""
    if not declared.stages:
        return nw.col(HAPPENED[declared.table])
    return nw.coalesce(nw.min_horizontal(*(s.date for s in declared.stages)), nw.col("known"))
