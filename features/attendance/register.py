"""Count attendance marks in one pass: each session is a byte of its child's register, whatever the order of the marks.

Nine marks in ten are the only one of their session and were recorded on the day: their byte says all. The marks of other sessions (late,
corrected, duplicate) are kept as rows beside the register. Together they give the register of every child exactly as known on each as-of
date, and ``features.attendance.walk`` counts it. The cost does not grow with the number of windows, and late and corrected marks need no
pass for each date.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np
import polars as pl

from features.attendance.bits import NEWEST, NOT_POSSIBLE, POSSIBLE, UNDEFINED
from histories.calendar import day_number, day_of
from histories.codes import ABSENCE_CODES, YIELDING, attendance_class, attendance_codes
from histories.reading.frames import Frame, days_of
from histories.reading.histories import Histories
from histories.reading.marks import read_marks
from histories.reading.plain_frame import PlainFrame

if TYPE_CHECKING:
    from features.attendance.walk import Figures, Register

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
# A bit for each measure that a code counts towards; of two codes recorded on one day, the last in this order wins: see ``as_of.valid_marks``.
ORDER = sorted(attendance_codes(), key=lambda c: (c not in YIELDING, c))
KINDS = {c: sum(1 << i for i, codes in enumerate(MEASURES.values()) if c in codes) for c in ORDER}
KINDS |= dict.fromkeys(EXCUSED, NOT_POSSIBLE)
NUMBERS = {c: n for n, c in enumerate(KINDS)}
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
    ids = snapshots["pupil_id"]
    pupils = ids if isinstance(ids, list) else ids.to_list()
    register, row = _register(histories, pupils, range(days[0] - REACH, days[-1]))
    as_of = np.asarray(snapshots["as_of"], np.int64)
    cut = as_of if known_on is None else np.full(len(as_of), day_number(known_on))
    september = np.array([_september(d) for d in days])[np.searchsorted(days, as_of)]
    figures = _walked(register, row, as_of, cut, september)
    several = [WINDOWS.index(w) for w in RUN_WINDOWS]
    window_counts = dict(zip((*COUNTS, *RUNS), _columns(figures.counts, figures.runs[several]), strict=True))
    nullable = dict(zip((*NEWEST, *LASTING), _columns(figures.newest, figures.lasting), strict=True))
    snapshots = snapshots.select("pupil_id", "as_of")
    if isinstance(snapshots, PlainFrame):
        with_nulls = {n: [None if v == UNDEFINED else v for v in c.tolist()] for n, c in nullable.items()}
        counted = {n: c.tolist() for n, c in window_counts.items()}
        return PlainFrame({**snapshots.data, **counted, **with_nulls}, len(snapshots))
    columns = [pl.Series(n, c) for n, c in (window_counts | nullable).items()]
    missing = [pl.when(pl.col(n) != UNDEFINED).then(n).alias(n) for n in nullable]
    return nw.from_native(snapshots.to_native().with_columns(*columns).with_columns(*missing))


def _register(histories: Histories, pupils: list[str], days: range) -> tuple[Register, np.ndarray]:
    """Return the register of the snapshots' children on some days, and the row of each snapshot's child."""
    # numba takes a second to import, and most verbs do not need it
    from features.attendance.collector import MarkCollector

    marks = MarkCollector(dict.fromkeys(pupils), days, NUMBERS)
    if histories.engine == "spark":
        from features.attendance.spark_register import collect_from_spark

        collect_from_spark(histories, marks, PLAIN)
    else:
        read_marks(histories, days, marks.take)
    return marks.register(), np.array([marks.rows[p] for p in pupils], np.int64)


def _walked(register: Register, *snapshots: np.ndarray) -> Figures:
    """Count the register for each snapshot, in parallel on all cores."""
    from features.attendance.walk import Figures, Rules, Snapshots, walk

    many, windows = len(snapshots[0]), len(WINDOWS)
    figures = Figures(
        counts=np.zeros((windows + 1, len(MEASURES), many), np.int64),
        runs=np.zeros((windows, 2, many), np.int64),
        newest=np.full((len(NEWEST), many), UNDEFINED, np.int64),
        lasting=np.full((len(LASTING), many), UNDEFINED, np.int64),
    )
    rules = Rules(
        kinds=_kinds(),
        edges=_edges(),
        windows=np.array(WINDOWS),
        weights=_weights(),
        prior=np.array(list(PRIOR.values())),
        prior_sessions=float(PRIOR_SESSIONS),
    )
    asked = Snapshots(np.argsort(snapshots[0], kind="stable"), *snapshots)
    pieces = max(1, min(os.cpu_count() or 1, many // 10_000))

    def walk_share(share: tuple[int, int]) -> None:
        walk(register, asked, rules, figures, *share)

    if pieces == 1:  # a pool takes longer than the marks of one child
        walk_share((0, many))
        return figures
    with ThreadPoolExecutor(pieces) as cores:
        list(cores.map(walk_share, pairwise(many * n // pieces for n in range(pieces + 1))))
    return figures


@cache
def _kinds() -> np.ndarray:
    """Return the measures of each byte of a register; see ``features.attendance.walk.Register``."""
    kinds = np.zeros(256, np.int64)
    # An unknown code counts towards no measure, but is a mark.
    kinds[1 : len(KINDS) + 2] = [*KINDS.values(), NOT_POSSIBLE]
    return kinds


@cache
def _edges() -> np.ndarray:
    """Return the place of the window that ends so many days back, plus one; 0 if none does."""
    edges = np.zeros(REACH + 1, np.uint8)
    edges[list(WINDOWS)] = range(1, len(WINDOWS) + 1)
    return edges


@cache
def _weights() -> np.ndarray:
    """Return the weight of a session by days back and half-life, shape (REACH + 1, half-lives)."""
    back = np.arange(REACH + 1)
    return np.column_stack([np.exp2(-back / h) if h else np.ones(len(back)) for h in HALF_LIVES.values()])


def _september(day: int) -> int:
    as_of = day_of(day)
    return day_number(as_of.replace(year=as_of.year if as_of.month >= 9 else as_of.year - 1, month=9, day=1))


def _columns(*values: np.ndarray) -> list[np.ndarray]:
    return [column for v in values for column in v.reshape(-1, v.shape[-1])]
