"""Count attendance marks in one pass: nine marks in ten are plain presence recorded on the day, and one bit holds each.

The engine packs plain presence into one integer for each child and ``SPAN`` days; every other mark (absent, late, corrected,
recorded later) is returned as a row. Together they give the register of every child exactly as known on each as-of date, and
``features.attendance.walk`` counts it. The cost does not grow with the number of windows, and late and corrected marks need no
pass for each date.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, TypeAlias

import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa

from features.attendance.bits import NEWEST, NOT_POSSIBLE, POSSIBLE, SPAN, UNDEFINED
from histories.calendar import day_number, day_of
from histories.codes import ABSENCE_CODES, attendance_class, attendance_codes
from histories.reading.frames import Frame, collect, days_of
from histories.reading.histories import Histories
from histories.reading.plain_frame import PlainFrame

WINDOWS = (14, 28, 56, 84, 90, 180, 365)
RUN_WINDOWS = (90, 365)
REACH = 1095  # days that the lasting log-odds look back
HALF_LIVES = {"28d": 28, "90d": 90, "365d": 365, "three_years": None}  # days after which a session counts half
PRIOR = {"absent": 0.06, "unauthorised": 0.02}  # shares that ``PRIOR_SESSIONS`` sessions add, near the means of England
PRIOR_SESSIONS = 20
MEASURES: dict[str, tuple[str, ...]] = {
    "possible": tuple(c for c, a in attendance_codes().items() if a.counts_as != "not_possible"),
    "absent": ABSENCE_CODES,
    "unauthorised": attendance_class("unauthorised"),
    "no_reason": ("O", "N"),
    "holiday": ("G",),
    "ill": ("I", "M"),
    "late": ("L", "U"),
    "suspended_marks": ("E",),
    "part_time": ("C2",),
}
COUNTS = [f"{m}_{w}" for w in (*WINDOWS, "year") for m in MEASURES]
RUNS = [f"{what}_{w}" for w in RUN_WINDOWS for what in ("longest_run", "runs")]
LASTING = [f"{m}_lasting_{h}" for m in PRIOR for h in HALF_LIVES]
# Marks of sessions that were not possible for the child. A planned closure (#) is marked for every child, and says nothing about one.
EXCUSED = tuple(c for c, a in attendance_codes().items() if a.counts_as == "not_possible" and c != "#")
# A bit for each measure that a code counts towards; of two codes recorded on one day, the last in this order wins.
KINDS = {c: sum(1 << i for i, codes in enumerate(MEASURES.values()) if c in codes) for c in sorted(attendance_codes())}
KINDS |= dict.fromkeys(EXCUSED, NOT_POSSIBLE)
NUMBERS = {c: n for n, c in enumerate(KINDS)}
COUNTS_AS = np.array([*KINDS.values(), NOT_POSSIBLE])  # an unknown code counts towards no measure, but is a mark
PLAIN = [c for c, kind in KINDS.items() if kind == POSSIBLE]


def mark_tallies(histories: Histories, snapshots: Frame, known_on: date | None = None) -> Frame:
    """Count marks of each kind in each window, runs of absence, and the newest weeks, for each snapshot.

    Parameters
    ----------
    snapshots : Frame
        ``pupil_id`` and ``as_of`` (day number).
    known_on : date, optional
        The day of knowledge; see ``histories.reading.as_of.seen``.

    Returns
    -------
    Frame
        ``pupil_id, as_of``; ``<measure>_<days>``, also ``_year`` for the school year to date; ``longest_run_<days>`` and ``runs_<days>``;
        the figures of ``features.attendance.bits.NEWEST``, missing if the last sixty days hold no session (``last_not_possible_days``: if
        three years hold no such mark); and ``<measure>_lasting_<half-life>``: log-odds
        in units of 1 / ``bits.UNIT``, missing if three years hold no session.
    """
    days = days_of(snapshots)
    first, slots = days[0] - REACH, 2 * (days[-1] - days[0] + REACH)
    read = _plain_register if histories.engine == "plain" else _register
    who, words, marks = read(histories, snapshots, days, first, slots)
    as_of = np.asarray(snapshots["as_of"], np.int64)
    cut = as_of if known_on is None else np.full(len(as_of), day_number(known_on))
    september = np.array([_september(d) for d in days])[np.searchsorted(days, as_of)]
    starts = np.searchsorted(marks[0], np.arange(len(words) + 1) * slots)
    counts, runs, newest, lasting = _walked((words, first, *marks, starts, slots), (who, as_of, cut, september))
    several = [WINDOWS.index(w) for w in RUN_WINDOWS]
    window_counts = dict(zip((*COUNTS, *RUNS), _columns(counts, runs[:, several]), strict=True))
    nullable = dict(zip((*NEWEST, *LASTING), _columns(newest, lasting), strict=True))
    snapshots = snapshots.select("pupil_id", "as_of")
    if isinstance(snapshots, PlainFrame):
        with_nulls = {n: [None if v == UNDEFINED else v for v in c.tolist()] for n, c in nullable.items()}
        counted = {n: c.tolist() for n, c in window_counts.items()}
        return PlainFrame({**snapshots.data, **counted, **with_nulls}, len(snapshots))
    columns = [pl.Series(n, c) for n, c in (window_counts | nullable).items()]
    missing = [pl.when(pl.col(n) != UNDEFINED).then(n).alias(n) for n in nullable]
    return nw.from_native(snapshots.to_native().with_columns(*columns).with_columns(*missing))


def _walked(register: tuple[Any, ...], snapshots: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    """Count the register for each snapshot, in parallel on all cores."""
    from features.attendance.walk import walk  # numba takes a second to import, and most verbs do not need it

    pieces = max(1, min(os.cpu_count() or 1, len(snapshots[0]) // 10_000))
    shares = zip(*(np.array_split(column, pieces) for column in snapshots), strict=True)
    with ThreadPoolExecutor(pieces) as cores:
        how = (np.array(WINDOWS), len(MEASURES), _weights(), np.array(list(PRIOR.values())), float(PRIOR_SESSIONS))
        parts = cores.map(lambda share: walk(*register, *share, *how), shares)  # type: ignore[call-arg]
        return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]


def _weights() -> np.ndarray:
    """Return the weight of a session by half-life and days back, shape (half-lives, REACH + 1)."""
    back = np.arange(REACH + 1)
    return np.array([np.exp2(-back / h) if h else np.ones(len(back)) for h in HALF_LIVES.values()])


Register: TypeAlias = tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]


def _register(histories: Histories, snapshots: Frame, days: list[int], first: int, slots: int) -> Register:
    """Return the row of each snapshot's child, the children's packed words, and every other mark; see ``walk``."""
    children = snapshots.to_native().select("pupil_id")
    pupils = children.unique(maintain_order=True).with_row_index("place").cast({"place": pl.Int32})
    looked_at = sorted({d - back for d in days for back in range(1, REACH + 1)})
    rows = _rows(histories, looked_at)
    place = histories.given(pupils.to_arrow())
    odd = _odd(rows, place, first, slots)
    words = _words(histories=histories, rows=rows, place=place, pupils=pupils, odd=odd, first=first, slots=slots)
    who = children.join(pupils, on="pupil_id", how="left", maintain_order="left")["place"].to_numpy().astype(np.int64)
    return who, words, (odd["key"].to_numpy(), odd["known"].to_numpy(), odd["number"].to_numpy(), COUNTS_AS)


def _plain_register(histories: Histories, snapshots: Frame, days: list[int], first: int, slots: int) -> Register:
    """Return the same for few rows, with every mark as a row; packing would save nothing."""
    places = {p: n for n, p in enumerate(dict.fromkeys(snapshots["pupil_id"]))}
    rows: Any = histories.frame("attendance")
    columns = (rows[c] for c in ("pupil_id", "date", "session", "code", "known"))
    marks = [
        (places[p] * slots + 2 * (d - first) + (s == "PM"), k, NUMBERS.get(c, len(KINDS)))
        for p, d, s, c, k in zip(*columns, strict=True)
        if p in places and first <= d < days[-1]
    ]
    key, recorded, number = np.array(marks, np.int64).reshape(-1, 3).T
    order = np.argsort(key, kind="stable")
    words = np.zeros((len(places), -(-slots // (2 * SPAN))), np.int64)
    of_each = (key[order], recorded[order].astype(np.int32), number[order].astype(np.uint8), COUNTS_AS)
    return np.array([places[p] for p in snapshots["pupil_id"]], np.int64), words, of_each


def _rows(histories: Histories, looked_at: list[int]) -> nw.LazyFrame:
    """Return the marks of the given days with each session's word and bit."""
    at = [d - looked_at[0] for d in looked_at]
    calendar = pa.table(
        {
            "date": pa.array(looked_at, pa.int32()),
            "word": pa.array([a // SPAN for a in at], pa.int32()),
            "morning": pa.array([1 << 2 * (a % SPAN) for a in at], pa.int64()),
            "afternoon": pa.array([2 << 2 * (a % SPAN) for a in at], pa.int64()),
        }
    )
    days = histories.given(calendar)
    bit = nw.when(nw.col("session") == "PM").then(nw.col("afternoon")).otherwise(nw.col("morning"))
    return histories.frame("attendance").join(days, on="date", how="inner").with_columns(bit.alias("bit"))


def _odd(rows: nw.LazyFrame, place: nw.LazyFrame, first: int, slots: int) -> pl.DataFrame:
    """Return every mark except plain presence recorded on its day, by child and session; see ``walk``."""
    half = nw.when(nw.col("session") == "PM").then(1).otherwise(0)
    slot = (nw.col("date") - first) * 2 + half
    marks = collect(
        rows.filter(~nw.col("code").is_in(PLAIN) | (nw.col("known") != nw.col("date")))
        .join(place, on="pupil_id", how="inner")
        .select((nw.col("place").cast(nw.Int64) * slots + slot).cast(nw.Int64).alias("key"), "code", "known")
    )
    number = pl.col("code").cast(pl.Enum(list(KINDS)), strict=False).to_physical().fill_null(len(KINDS))
    return marks.select("key", "known", number.cast(pl.UInt8).alias("number")).sort("key")


def _words(
    histories: Histories,
    rows: nw.LazyFrame,
    place: nw.LazyFrame,
    pupils: pl.DataFrame,
    odd: pl.DataFrame,
    *,
    first: int,
    slots: int,
) -> np.ndarray:
    """Return, by child and word, the bits of sessions with a mark recorded on the day itself."""
    shape = (len(pupils), -(-slots // (2 * SPAN)))
    bits, marks = np.zeros(shape, np.int64), np.zeros(shape, np.int64)

    def fill(rows: nw.LazyFrame) -> None:
        sums = collect(_summed(rows).join(place, on="pupil_id", how="inner").select("place", "word", "n", "bits"))
        at = (sums["place"].to_numpy(), sums["word"].to_numpy())
        bits[at], marks[at] = sums["bits"].to_numpy(), sums["n"].to_numpy()

    fill(rows)
    # Summing all marks and subtracting those recorded later is faster than filtering first.
    late = odd.filter(pl.col("known") != pl.col("key") % slots // 2 + first)["key"].to_numpy()
    child, slot = late // slots, late % slots
    at = (child, slot // (2 * SPAN))
    np.subtract.at(bits, at, 1 << slot % (2 * SPAN))
    np.subtract.at(marks, at, 1)
    # The sum of n different powers of two has n bits set; fewer bits mean duplicate marks.
    twice = np.flatnonzero((np.bitwise_count(bits) != marks).any(axis=1))
    if len(twice):
        those = histories.given(pupils.select("pupil_id")[twice].to_arrow())
        once = rows.filter(nw.col("known") == nw.col("date")).join(those, on="pupil_id", how="semi")
        bits[twice] = 0
        fill(once.select("pupil_id", "date", "session", "word", "bit").unique())
    return bits


def _summed(rows: nw.LazyFrame) -> nw.LazyFrame:
    return rows.group_by("pupil_id", "word").agg(
        nw.len().cast(nw.Int64).alias("n"), nw.col("bit").sum().cast(nw.Int64).alias("bits")
    )


def _september(day: int) -> int:
    as_of = day_of(day)
    return day_number(as_of.replace(year=as_of.year if as_of.month >= 9 else as_of.year - 1, month=9, day=1))


def _columns(*values: np.ndarray) -> list[np.ndarray]:
    return [column for v in values for column in v.reshape(len(v), -1).T]
