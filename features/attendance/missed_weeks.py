"""Weeks with missed sessions, newest first: evidence from the valid mark of each session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from features.attendance.register import MEASURES
from histories.codes import ABSENCE_CODES, YIELDING
from histories.reading.marks import MarkBatch

LOOKS_BACK = 90  # days


@dataclass(frozen=True, kw_only=True)
class MissedWeek:
    """A week of a child with missed sessions.

    Attributes
    ----------
    monday : int
        Day number.
    possible : int
    missed : Counter
        Missed sessions by code.
    """

    pupil: str
    monday: int
    possible: int
    missed: Counter[str]


def missed_weeks(
    marks: MarkBatch,
    pupils: Sequence[str],
    day: int,
    cut: int,
    most: int,
    *,
    codes: Sequence[str] = ABSENCE_CODES,
    days: int = LOOKS_BACK,
    gap: int = 0,
) -> Iterator[MissedWeek]:
    """Yield the newest weeks with missed sessions in the 90 days before a day, each whole; of each pupil the newest first.

    Parameters
    ----------
    marks : MarkBatch
        In any order.
    pupils : sequence of str
        Each once; marks of others do not count.
    day, cut : int
        Day numbers: marks of earlier days count that were recorded before the cut.
    most : int
        Weeks of one pupil.
    codes : sequence of str
        What counts as missed.
    days : int
        Weeks count in which a session was missed so many days before the day, or later.
    gap : int
        Sessions missed in so many days before the day make no week count.
    """
    pupil, date, code, names = _valid(marks, pupils, day, cut)
    monday = date - (date + 3) % 7
    edges = _changes(pupil, monday)
    is_missed = np.isin(names, np.array(codes, np.str_))[code]
    missed = np.r_[0, np.cumsum(is_missed & (date >= day - days) & (date < day - gap))]
    weeks = np.flatnonzero(missed[edges[1:]] > missed[edges[:-1]])[::-1]
    # Each week has few marks, which lists give faster than arrays.
    counts, possible, texts = {*codes}, {*MEASURES["possible"]}, names[code].tolist()
    ends = (edges[weeks], edges[weeks + 1], pupil[edges[weeks]], monday[edges[weeks]])
    shown = Counter[int]()
    for first, last, child, begins in zip(*(end.tolist() for end in ends), strict=True):
        if shown[child] == most:
            continue
        shown[child] += 1
        of_week = texts[first:last]
        yield MissedWeek(
            pupil=pupils[child],
            monday=begins,
            possible=sum(text in possible for text in of_week),
            missed=Counter(text for text in of_week if text in counts),
        )


def first_looked_at(day: int) -> int:
    """Return the Monday of the week that lies ``LOOKS_BACK`` days before a day: a week of which some marks are left out would be told wrongly."""
    return (first := day - LOOKS_BACK) - (first + 3) % 7


def _valid(
    marks: MarkBatch, pupils: Sequence[str], day: int, cut: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the valid mark of each session by pupil and date: index of the pupil, date, and index of the code's name; and the names.

    The last recording is valid and, of several on one day, the last code; see ``histories.reading.as_of.valid_marks``.
    """
    number = {pupil: n for n, pupil in enumerate(pupils)}
    number_of = np.array([number.get(p, -1) for p in marks.pupil.values], np.int64)
    is_near = (marks.date < day) & (marks.date >= first_looked_at(day)) & (marks.known < cut)
    rows = np.flatnonzero(is_near)
    pupil = number_of[marks.pupil.places[rows]]
    rows, pupil = rows[pupil >= 0], pupil[pupil >= 0]
    names, code_of = _numbered(marks.code.values)
    _, session_of = _numbered(marks.session.values)
    date = marks.date[rows]
    session, code = session_of[marks.session.places[rows]], code_of[marks.code.places[rows]]
    order = np.lexsort((code, marks.known[rows], session, date, pupil))
    pupil, date, session, code = pupil[order], date[order], session[order], code[order]
    last = _changes(pupil, date, session)[1:] - 1
    return pupil[last], date[last], code[last], names


def _numbered(values: Sequence[str | None]) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct texts in order, codes that give way first, and the place of each value among them."""
    names = sorted({value or "" for value in values}, key=lambda name: (name not in YIELDING, name))
    place = {name: n for n, name in enumerate(names)}
    return np.array(names, np.str_), np.array([place[value or ""] for value in values], np.int64)


def _changes(*columns: np.ndarray) -> np.ndarray:
    """Return where runs of equal rows begin, and where the last one ends."""
    if not len(columns[0]):
        return np.zeros(1, np.int64)
    other = np.zeros(len(columns[0]) - 1, bool)
    for column in columns:
        other |= column[1:] != column[:-1]
    return np.r_[0, np.flatnonzero(other) + 1, len(columns[0])]
