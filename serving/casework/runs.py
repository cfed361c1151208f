"""Runs of school days that a child missed completely, each from its true first day, however long ago."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import narwhals as nw
import polars as pl
import pyarrow as pa

from features.attendance.register import MEASURES
from histories.calendar import day_number
from histories.reading.as_of import valid_marks
from histories.reading.frames import collect
from histories.reading.histories import Histories

WINDOW = 130  # days read first; a run that reaches their beginning is read further back
GAP = WINDOW  # days without a mark of the child after which a run is another one
ACTIVE = 15  # newest school days in which a current run has sessions


@dataclass(frozen=True)
class Run:
    """School days that a child missed completely, one after the other.

    Attributes
    ----------
    days : list of int
        Day numbers.
    goes_on : bool
        Whether it goes on to the last day on which a mark says whether the child was there.
    marked_until : int
        The day of the child's newest mark of any kind.
    """

    days: list[int]
    goes_on: bool
    marked_until: int


@dataclass(frozen=True)
class Missed:
    """What the register says of one child.

    Attributes
    ----------
    marked : list of int
        Days with a mark of any kind, also of sessions that were not possible.
    possible : list of int
        Those of ``marked`` on which a mark says whether the child was there.
    runs : list of Run
        The runs of missed ones.
    """

    marked: list[int]
    possible: list[int]
    runs: list[Run]

    def run_on(self, day: int) -> Run | None:
        """Return the run that a day belongs to."""
        return next((run for run in self.runs if run.days[0] <= day <= run.days[-1]), None)

    def is_marked(self, day: int) -> bool:
        """Return whether a mark says what was on a day, if only that the child could not be there."""
        at = bisect_left(self.marked, day)
        return at < len(self.marked) and self.marked[at] == day


def find_missed(
    histories: Histories,
    codes: Iterable[str],
    as_of: date,
    *,
    active_since: date,
    min_days: int,
    also: Mapping[str, date],
) -> dict[str, Missed]:
    """Return the runs of the children who may have a current one, and of some others.

    Parameters
    ----------
    codes : iterable of str
        Attendance codes of the absence.
    active_since : date
        A current run has as many sessions since this day as ``min_days``.
    min_days : int
        Fewer sessions make no current run.
    also : mapping
        Other children, each with a day; their runs since that day are whole.

    Returns
    -------
    dict
        By pupil; a child without marks is missing.
    """
    if "attendance" not in histories.present:
        return {}
    of, day = tuple(codes), day_number(as_of)
    marks = histories.frame("attendance").filter((nw.col("date") < day) & (nw.col("known") < day))
    newest = marks.filter((nw.col("date") >= day_number(active_since)) & nw.col("code").is_in(list(of)))
    # The few rows are counted here: DuckDB takes ten times as long to group what it reads from all years.
    counts = collect(newest.select("pupil_id"))["pupil_id"].value_counts()
    unread = {*counts.filter(pl.col("count") >= min_days)["pupil_id"], *also}
    days = {pupil: day_number(start) for pupil, start in also.items()}
    first = day_number(histories.first_day("attendance", "date") or as_of)
    missed: dict[str, Missed] = {}
    width = WINDOW
    while unread:
        since = day - width
        for pupil in unread:
            missed.pop(pupil, None)
        missed.update(_read(histories, marks, sorted(unread), since, of))
        width *= 3
        if since <= first:
            break
        unread = {p for p in unread if days.get(p, since) < since or _reaches_back(missed.get(p), since)}
    return missed


def _reaches_back(missed: Missed | None, since: int) -> bool:
    """Return whether a child's first run may have begun before the days that were read, however few of its days these hold."""
    if missed is None or not missed.runs:
        return False
    first = missed.runs[0].days[0]
    return first == missed.possible[0] and first - since <= GAP


def _read(
    histories: Histories, marks: nw.LazyFrame, pupils: list[str], since: int, codes: tuple[str, ...]
) -> Iterator[tuple[str, Missed]]:
    keys = histories.given(pa.table({"pupil_id": pa.array(pupils, pa.string())}))
    theirs = marks.filter(nw.col("date") >= since).join(keys, on="pupil_id", how="semi")
    rows = collect(valid_marks(theirs).select("pupil_id", "date", "code"))
    possible = pl.col("code").is_in(list(MEASURES["possible"]))
    whole = rows.group_by("pupil_id", "date").agg(
        possible.any().alias("possible"), (pl.col("code").is_in(list(codes)) | ~possible).all().alias("missed")
    )
    by_pupil = whole.sort("date").group_by("pupil_id").agg("date", "possible", "missed")
    for pupil, dates, can_be_there, is_missed in by_pupil.iter_rows():
        days = [(d, away) for d, can, away in zip(dates, can_be_there, is_missed, strict=True) if can]
        yield pupil, Missed(dates, [d for d, _ in days], list(_runs(days, dates[-1])))


def _runs(days: list[tuple[int, bool]], marked_until: int) -> Iterator[Run]:
    current: list[int] = []
    for day, away in days:
        if current and (not away or day - current[-1] > GAP):
            yield Run(current, goes_on=False, marked_until=marked_until)
            current = []
        if away:
            current.append(day)
    if current:
        yield Run(current, goes_on=True, marked_until=marked_until)
