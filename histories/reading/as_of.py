"""What was visible as of a day: rows recorded before it, the newest correction of each, and ends once they were recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache, lru_cache, partial

import narwhals as nw
import pyarrow as pa

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
        ``pupil_id`` and ``as_of`` (day number), each pair once, on the engine of the histories.
    known_on : date, optional
        The day of knowledge for all as-of dates; by default each as-of date is its own. See ``seen``.

    Returns
    -------
    LazyFrame
        The table's columns, ``as_of`` and ``age``: days from the row's own date to the as-of date.
    """
    rows = snapshots.select("pupil_id", "as_of").join(histories.frame(table), on="pupil_id", how="inner")
    return _as_seen(histories, table, rows, known_on)


def visible_each_day(
    histories: Histories, table: str, days: Iterable[int], known_on: date | None = None
) -> nw.LazyFrame:
    """Return the rows of a table as visible on each of some days (day numbers), of every pupil; see ``visible``."""
    as_of = histories.given(pa.table({"as_of": pa.array(sorted(set(days)), pa.int32())}))
    return _as_seen(histories, table, histories.frame(table).join(as_of, how="cross"), known_on)


def _as_seen(histories: Histories, table: str, rows: nw.LazyFrame, known_on: date | None) -> nw.LazyFrame:
    """Keep of a table's rows with ``as_of`` what was visible then, and add ``age``."""
    declared = TABLES[table]
    known, hidden = _seen_of(table, known_on)
    rows = rows.filter(known)
    rows = rows.with_columns(*hidden) if hidden else rows
    rows = where_repeated(histories, table, declared.key[1:], rows, partial(_corrected, declared))
    return rows.with_columns((nw.col("as_of") - nw.col(HAPPENED[table])).alias("age"))


@lru_cache(maxsize=1000)  # days of knowledge are given by callers
def _seen_of(table: str, known_on: date | None) -> tuple[nw.Expr, list[nw.Expr]]:
    """Return whether a row of a table is visible, and the columns of which a part is hidden."""
    declared, hidden = TABLES[table], list[nw.Expr]()
    if declared.end:
        ended = seen(nw.col("end_known"), nw.col(declared.end), known_on)
        # Hide the end's recording date too: knowing it leaks the future.
        with_it = dict.fromkeys((*declared.end_columns, *declared.end_known_from, "end_known"))
        hidden = [nw.when(ended).then(nw.col(c)).alias(c) for c in with_it]
    for stage in declared.stages:
        come = seen(nw.col(stage.date), nw.col(stage.date), known_on)
        hidden += [nw.when(come).then(nw.col(c)).alias(c) for c in stage.columns]
    return seen(nw.col("known"), happened(declared), known_on), hidden


def _corrected(declared: type[Table], rows: nw.LazyFrame) -> nw.LazyFrame:
    return rows.unique(subset=["as_of", *declared.key], keep="last", order_by=correction_order(declared))


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
    return begun.with_columns(*_over(table))


@cache
def _over(table: str) -> list[nw.Expr]:
    """Return the columns of a table's end, hidden where it is still ahead."""
    declared = TABLES[table]
    over = nw.col(str(declared.end)) < nw.col("as_of")
    with_it = dict.fromkeys((*declared.end_columns, *declared.end_known_from, "end_known"))
    return [nw.when(over).then(nw.col(c)).alias(c) for c in with_it]


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


def where_repeated(
    histories: Histories,
    table: str,
    columns: Sequence[str],
    rows: nw.LazyFrame,
    change: Callable[[nw.LazyFrame], nw.LazyFrame],
) -> nw.LazyFrame:
    """Change the rows of pupils who have several rows of a table with the same values in some columns.

    Parameters
    ----------
    columns : sequence of str
        Of the table, beside ``pupil_id``.
    rows : LazyFrame
        Rows of the table, also with other columns.
    change : callable
        Takes and returns such rows. It must leave those of all other pupils as they are, and a pupil's rows may not depend on another's.
    """
    several = _pupils(histories, table, columns)
    if several is None:
        return change(rows)
    pupils, many = several
    if not many:
        return rows
    changed = change(rows.join(pupils, on="pupil_id", how="semi"))
    others = rows.join(pupils, on="pupil_id", how="anti")
    return nw.concat([others, changed.select(others.collect_schema().names())])


def _pupils(histories: Histories, table: str, columns: Sequence[str]) -> tuple[nw.LazyFrame, int] | None:
    """Return the pupils with several rows of the same values, and how many they are; None if nobody looked.

    Only in a block of pupils in memory, whose rows are all read, several times: for a few pupils it would take longer than it saves. Plain
    lists find out by themselves.
    """
    if histories.looked_up is None or histories.engine != "polars":
        return None
    key = ("repeats", table, *columns)
    if key not in histories.looked_up:
        times = histories.frame(table).group_by("pupil_id", *columns).agg(nw.len().alias("times"))
        several = times.filter(nw.col("times") > 1).select("pupil_id").unique().collect(backend="polars").to_native()
        histories.looked_up[key] = histories.given(several), len(several)
    return histories.looked_up[key]
