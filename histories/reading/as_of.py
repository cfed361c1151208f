"""What was visible as of a day: rows recorded before it, the newest correction of each, and ends only once recorded."""

from __future__ import annotations

from datetime import date

import narwhals as nw

from histories.calendar import day_number
from histories.reading.histories import Histories
from histories.tables import HAPPENED, TABLES, Table


def seen(recorded: nw.Expr, happened: nw.Expr, known_on: date | None) -> nw.Expr:
    """Return whether something recorded on one day and happened on another is seen as of ``as_of``.

    Without a day of knowledge it is seen if it was recorded before the as-of date. With one, it is seen as it was known on
    that day: recorded before it, and before the as-of date either recorded or happened. So a later day of knowledge adds
    what came late and no future, an earlier one takes away, and the as-of date itself changes nothing.
    """
    in_time = recorded < nw.col("as_of")
    if known_on is None:
        return in_time
    return (recorded < day_number(known_on)) & (in_time | (happened < nw.col("as_of")))


def visible(histories: Histories, table: str, snapshots: nw.LazyFrame, known_on: date | None = None) -> nw.LazyFrame:
    """Join each snapshot with its pupil's rows of a table as they were visible on the as-of date.

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
    # Rows recorded on the same day are ordered by every other visible column: engines then agree on which row stands, and
    # what is not yet known does not decide.
    ties = [c for c in declared.columns if c not in declared.key]
    joined = joined.unique(subset=["as_of", *declared.key], keep="last", order_by=["known", *ties])
    return joined.with_columns((nw.col("as_of") - nw.col(HAPPENED[table])).alias("age"))


def standing(marks: nw.LazyFrame) -> nw.LazyFrame:
    """Return the mark that stands for each session among those given: the last recorded, of one day the last code."""
    return marks.unique(subset=["pupil_id", "date", "session"], keep="last", order_by=["known", "code"])


def happened(declared: type[Table]) -> nw.Expr:
    """Return the day on which a row happened; a row of stages did with the first of them, or when it was recorded."""
    if not declared.stages:
        return nw.col(HAPPENED[declared.table])
    return nw.coalesce(nw.min_horizontal(*(s.date for s in declared.stages)), nw.col("known"))
