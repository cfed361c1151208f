"""Count children's marks, their rows in each table, their homes, and the children who left their schools."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import narwhals as nw
import pyarrow as pa

from features.attendance.bits import BITS, BREAK, NEWEST_SESSIONS, RECENT, SUMMER
from features.attendance.register import (
    COUNTS,
    EXCUSED,
    HALF_LIVES,
    LASTING,
    MEASURES,
    NEWEST,
    PRIOR,
    PRIOR_SESSIONS,
    REACH,
    RUNS,
    WINDOWS,
    mark_tallies,
)
from features.counting.spells import homes, with_joinings
from features.feature import Tally
from histories.calendar import day_of
from histories.reading.as_of import come, visible, visible_each_day
from histories.reading.frames import Frame, days_of, gathered, joined
from histories.reading.histories import Histories
from histories.reading.once import once

KEYS = ["pupil_id", "as_of"]
# Tallies of a table may also read another table, which counts as a source too.
BESIDE = {"addresses": ("areas",)}


@dataclass(frozen=True, kw_only=True)
class TallyPart:
    """What one pass over a table counts for each snapshot.

    Attributes
    ----------
    name : str
    tables : tuple of str
        The tables it reads.
    columns : dict
        ``{column: digest of its definition}``.
    count : callable
        Takes ``(histories, snapshots, columns, known_on)``; returns the snapshots, in their order, with at least those columns.
    zero : frozenset of str
        Columns that are zero, not missing, for a child without rows.
    looks_back : int or None
        Rows up to so many days before the as-of date count; None for all rows.
    kind : type
        The type of its columns.
    """

    name: str
    tables: tuple[str, ...]
    columns: dict[str, str]
    count: Callable[[Histories, Frame, list[str], date | None], Frame]
    zero: frozenset[str] = frozenset()
    looks_back: int | None = None
    kind: Any = nw.Int64


def parts(tallies: dict[str, Tally]) -> list[TallyPart]:
    """Return the passes that count the given tallies, the marks and the homes."""
    return list(_parts(tuple(tallies.items())))


@cache  # digests of the tallies are most of the work for one child
def _parts(of: tuple[tuple[str, Tally], ...]) -> tuple[TallyPart, ...]:
    tallies = dict(of)
    marks = _mark_digests()
    passes = [
        TallyPart(
            name="attendance",
            tables=("attendance",),
            columns=marks,
            count=_marks,
            zero=frozenset(COUNTS),
            looks_back=REACH + 2,
        )
    ]
    for table in sorted({t.table for t in tallies.values()}):
        of_table = {n: t for n, t in tallies.items() if t.table == table}
        sums = frozenset(n for n, t in of_table.items() if t.how == "sum")
        digests = {n: tally_digest(t) for n, t in of_table.items()}
        passes.append(
            TallyPart(
                name=table,
                tables=(table, *BESIDE.get(table, ())),
                columns=digests,
                count=_counter(table, of_table),
                zero=sums,
            )
        )
    return (
        *passes,
        TallyPart(
            name="homes", tables=("addresses",), columns={"household_id": "", "lsoa": ""}, count=_homes, kind=nw.String
        ),
    )


def _mark_digests() -> dict[str, str]:
    """Return the digest of each figure of the marks: of its name and all that it reads."""
    measures, newest = sorted(MEASURES.items()), (RECENT, NEWEST_SESSIONS)
    # Of ``NEWEST``, the figures that earlier models use have the digest that these expect.
    reads: dict[str, tuple[object, ...]] = dict.fromkeys((*COUNTS, *RUNS, *NEWEST), WINDOWS)
    reads |= dict.fromkeys(("newest_sessions", "newest_unexplained"), newest)
    reads |= dict.fromkeys(("since_break_sessions", "since_break_unexplained"), (*newest, BREAK))
    reads |= dict.fromkeys(("since_summer_sessions", "since_summer_unexplained"), (*newest, SUMMER))
    reads |= dict.fromkeys(("possible_7", "possible_10", "marked"), (RECENT,))
    reads |= dict.fromkeys(("possible_bits", "unexplained_bits"), (RECENT, BITS))
    reads["last_not_possible_days"] = (REACH, EXCUSED)
    lasting = (measures, HALF_LIVES, REACH, PRIOR, PRIOR_SESSIONS)
    return {c: digest(c, measures, read) for c, read in reads.items()} | {c: digest(c, lasting) for c in LASTING}


def digest(*what: object) -> str:
    """Return a short hash of the ``repr`` of some objects."""
    return hashlib.sha256(repr(what).encode()).hexdigest()[:32]


def tally_digest(tally: Tally) -> str:
    """Return a hash of a tally; the repr of a Narwhals expression is complete."""
    expressions = [repr(part()) if part else None for part in (tally.where, tally.value)]
    return digest(tally.table, *expressions, tally.days, tally.how)


def _marks(histories: Histories, snapshots: Frame, columns: list[str], known_on: date | None) -> Frame:
    return mark_tallies(histories, snapshots, known_on)


def _counter(table: str, tallies: dict[str, Tally]):  # type: ignore[no-untyped-def]
    @cache
    def named(name: str) -> nw.Expr:
        return aggregate(tallies[name]).alias(name)

    def count(histories: Histories, snapshots: Frame, columns: Iterable[str], known_on: date | None) -> Frame:
        """Count tallies of one table in one pass."""
        rows = rows_of(histories, table, snapshots, known_on)
        counts = gathered(rows.group_by(*KEYS).agg(*map(named, columns)))
        return joined(snapshots.select(KEYS), counts, KEYS)

    return count


def rows_of(histories: Histories, table: str, snapshots: Frame, known_on: date | None = None) -> nw.LazyFrame:
    """Return the visible rows of a table that have come on the days of the snapshots, with the extra columns that its tallies read.

    Of every pupil, since nearly all with rows are in the cohort: to look for them takes longer than to count the others too.
    """
    days = days_of(snapshots)
    rows = come(visible_each_day(histories, table, days, known_on), table)
    if table == "enrolments":
        rows = with_joinings(histories, rows)
    if table == "admissions":
        years = pa.table(
            {
                "as_of": pa.array(days, pa.int32()),
                "next_september": pa.array([_next_september(d) for d in days], pa.int64()),
            }
        )
        rows = rows.join(histories.given(years), on="as_of", how="left")
    if table == "addresses":
        areas = once(histories, "areas").select("lsoa", "idaci_decile")
        rows = homes(histories, rows).join(areas, on="lsoa", how="left")
    return rows


@cache
def aggregate(tally: Tally) -> nw.Expr:
    """Return the aggregation of a tally over the rows of a snapshot."""
    value = tally.value() if tally.value else nw.lit(1)
    condition = tally.where() if tally.where else ~nw.col("pupil_id").is_null()
    if tally.days is not None:
        condition = condition & (nw.col("age") >= 1) & (nw.col("age") <= tally.days)
    if tally.how == "sum":
        return nw.when(condition).then(value).otherwise(nw.lit(0)).sum().cast(nw.Int64)
    chosen = nw.when(condition).then(value)
    return (chosen.max() if tally.how == "max" else chosen.min()).cast(nw.Int64)


def _homes(histories: Histories, snapshots: Frame, columns: Iterable[str], known_on: date | None) -> Frame:
    """Return the last known household and area of each child."""
    known = visible_each_day(histories, "addresses", days_of(snapshots), known_on)
    return _newest_homes(known, snapshots, columns)


def _newest_homes(known: nw.LazyFrame, snapshots: Frame, columns: Iterable[str]) -> Frame:
    homes = come(known, "addresses").filter(nw.col("end_date").is_null())
    # Few rows, which are made unique faster in memory.
    homes = gathered(homes.select(*KEYS, "start_date", *columns))
    places = snapshots.select(KEYS)
    for c in columns:
        newest = homes.filter(~nw.col(c).is_null()).unique(subset=KEYS, keep="last", order_by=["start_date", c])
        places = joined(places, newest.select(*KEYS, c), KEYS)
    return places


def lost_children(histories: Histories, days: list[int], known_on: date | None) -> Frame:
    """Count the children who left a school in the last two years with no known destination.

    Returns
    -------
    Frame
        ``urn, lsoa, as_of, lost_730``: all children, in the cohort or not, by school and home area.
    """
    left = come(visible_each_day(histories, "enrolments", days, known_on), "enrolments").filter(
        nw.col("destination").is_in(["missing_education", "unknown"])
        & (nw.col("as_of") - nw.col("leaving_date") <= 730)
    )
    gone = gathered(left.select(*KEYS, "urn"))
    if "addresses" in histories.present:
        leavers = gone.select(KEYS).unique()
        known = visible(histories, "addresses", histories.given(leavers), known_on)
        gone = gone.join(_newest_homes(known, leavers, ["lsoa"]), on=KEYS, how="left")
    else:
        gone = gone.with_columns(nw.lit(None, nw.String).alias("lsoa"))
    return gone.group_by("urn", "lsoa", "as_of").agg(nw.len().cast(nw.Int64).alias("lost_730"))


def _next_september(day: int) -> int:
    d = day_of(day)
    return d.year if d.month < 9 else d.year + 1
