"""Registers that stopped: children no longer marked while their school marks others, and schools that send no marks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import narwhals as nw
import polars as pl

from histories.calendar import day_number, day_of
from histories.reading.as_of import valid_marks
from histories.reading.frames import collect
from histories.reading.histories import Histories
from serving.casework.school_days import REACH, SchoolDays

MIN_SCHOOLS = 4  # of an authority whose own registers say which days are usual there
MIN_ROLL = 5  # children of a school that never sent a mark; fewer may have been placed one by one outside the area
MIN_DAYS = 3  # school days without a mark from which a register counts as silent
NO_MARK = "#"  # a planned closure is marked for every child, and says nothing about one
LOOK_BACK = (
    28,
    REACH,
    None,
)  # days searched for a child's newest mark: most children have one in the first, the last has no end


@dataclass(frozen=True, kw_only=True)
class SilentChild:
    """A child who is no longer marked while the school marks others.

    Attributes
    ----------
    since : date
        The day of the last mark, or of joining the school if there is none since.
    days : int
        School days without a mark.
    """

    pupil_id: str
    since: date
    days: int


@dataclass(frozen=True, kw_only=True)
class SilentSchool:
    """A school that sends no marks while most others of its authority do.

    Attributes
    ----------
    since : date
        The newest day for which it sent a register; of a school that began after marks began to come and never sent one, such as one with
        a new number, the first day of its roll.
    days : int
        Days since then on which at least half of the authority's schools marked a register.
    """

    authority: str
    urn: str
    since: date
    days: int


def silent_registers(
    histories: Histories, on_roll: pl.DataFrame, as_of: date, days: SchoolDays
) -> tuple[list[SilentChild], list[SilentSchool]]:
    """Return the children on a roll and the schools whose registers have stopped.

    A mark of a session that was not possible for the child, such as taught elsewhere, is a mark. A school that has never sent a mark is
    not silent, and neither are its children, unless its roll began after other schools' marks did. Children of a silent school are not
    listed one by one.
    """
    if "attendance" not in histories.present or not days.held:
        return [], []
    at = on_roll.select("pupil_id", "authority", "urn", "entry_date")
    at = at.join(_newest_marks(histories, at, as_of), on="pupil_id", how="left")
    schools = _silent_schools(at, days, histories.first_day("attendance", "date") or as_of)
    held = {urn: sorted(marked) for urn, marked in days.held.items()}
    children = []
    for pupil, urn, entered, last in at.select("pupil_id", "urn", "entry_date", "last").sort("pupil_id").iter_rows():
        since = day_of(entered if last is None else last)
        at_school = held.get(urn, [])
        missing = len(at_school) - (bisect_left if last is None else bisect_right)(at_school, since)
        if missing >= MIN_DAYS:
            children.append(SilentChild(pupil_id=pupil, since=since, days=missing))
    return children, schools


def _silent_schools(at: pl.DataFrame, days: SchoolDays, first_mark: date) -> list[SilentSchool]:
    usual = _usual_days(at, days)
    of_schools = at.group_by("urn").agg(pl.max("sent"), pl.min("entry_date").alias("first"), pl.len().alias("roll"))
    rows = of_schools.iter_rows(named=True)
    newest = {r["urn"]: days.sent.get(r["urn"], day_of(r["sent"])) for r in rows if r["sent"] is not None}
    never = of_schools.filter(pl.col("sent").is_null(), pl.col("roll") >= MIN_ROLL)
    begun = never.filter(pl.col("first") > day_number(first_mark)).select("urn", "first")
    opened = {urn: day_of(first) for urn, first in begun.iter_rows()}
    silent = []
    for authority, urn in at.select("authority", "urn").unique().sort("authority", "urn").iter_rows():
        since = newest.get(urn, opened.get(urn))
        if since is None:
            continue
        of_all = usual[authority]
        missing = len(of_all) - (bisect_left if urn in opened else bisect_right)(of_all, since)
        if missing >= MIN_DAYS:
            silent.append(SilentSchool(authority=authority, urn=urn, since=since, days=missing))
    return silent


def _newest_marks(histories: Histories, at: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the day of each child's ``last`` mark at the present school, and of the last one ``sent``, planned closures included."""
    found, unseen, until = [], at, day_number(as_of)
    for reach in LOOK_BACK:
        since = day_number(as_of) - reach if reach else None
        newest = _newest(histories, unseen, since, until, day_number(as_of))
        found.append(newest)
        unseen = unseen.join(newest.filter(pl.col("last").is_not_null()), on="pupil_id", how="anti")
        if since is None or unseen.is_empty():
            break
        until = since
    return pl.concat(found).group_by("pupil_id").agg(pl.max("last", "sent"))


def _newest(histories: Histories, at: pl.DataFrame, since: int | None, until: int, known_before: int) -> pl.DataFrame:
    marks = histories.frame("attendance").filter((nw.col("date") < until) & (nw.col("known") < known_before))
    marks = marks if since is None else marks.filter(nw.col("date") >= since)
    keys = histories.given(at.select("pupil_id", "entry_date").to_arrow())
    marks = valid_marks(marks.join(keys, on="pupil_id", how="inner").filter(nw.col("date") >= nw.col("entry_date")))
    own = nw.when(nw.col("code") != NO_MARK).then(nw.col("date"))
    newest = marks.with_columns(own.alias("last")).group_by("pupil_id")
    rows = collect(newest.agg(nw.col("last").max(), nw.col("date").max().alias("sent")))
    return rows.select("pupil_id", pl.col("last", "sent").cast(pl.Int32))


def _usual_days(at: pl.DataFrame, days: SchoolDays) -> dict[str, list[date]]:
    """Return for each authority the days on which at least half of its schools marked a register, none that it names as closed.

    Authorities have holidays of their own; one with few schools cannot say which days are usual, so all schools do.
    """
    own: dict[str, list[str]] = {}
    for authority, urn in at.select("authority", "urn").unique().iter_rows():
        own.setdefault(authority, []).extend([urn] if urn in days.held else [])

    def usual(urns: Collection[str]) -> list[date]:
        held = Counter(day for urn in urns for day in days.held[urn])
        return sorted(day for day, schools in held.items() if 2 * schools >= len(urns) and day not in days.closed)

    return {authority: usual(urns if len(urns) >= MIN_SCHOOLS else days.held) for authority, urns in own.items()}
