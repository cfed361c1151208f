"""Counts over whole tables (marks by day, code and child; recording delays), cached for the many rules that read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

import narwhals as nw

from histories.calendar import day_number, day_of
from histories.codes import attendance_class, attendance_codes
from histories.reading.histories import Histories

Counted = TypeVar("Counted")
DELAYED = {
    "attendance": "date",
    "enrolments": "entry_date",
    "suspensions": "start_date",
    "sen": "start_date",
    "social_care": "start_date",
    "cme": "missing_from",
}


def _once(count: Callable[[Histories], Counted]) -> Callable[[Histories], Counted]:
    """Cache a count for as long as the histories are open."""
    cache: WeakKeyDictionary[Histories, Counted] = WeakKeyDictionary()

    @wraps(count)
    def counted(h: Histories) -> Counted:
        if h not in cache:
            cache[h] = count(h)
        return cache[h]

    return counted


@_once
def newest_day(h: Histories) -> int:
    """Return the day number of the newest recording, at most today: mistyped future dates do not count."""
    return day_number(h.last_recorded())


@_once
def marks(h: Histories) -> list[tuple[int, str, str, int]]:
    """Return the marks by day, session and code: tuples of day number, session, code and count."""
    key = ("date", "session", "code")
    counts = h.frame("attendance").group_by(*key).agg(nw.len().alias("n")).collect()
    return list(zip(*(counts[c].to_list() for c in (*key, "n")), strict=True))


@_once
def marks_of_pupils(h: Histories) -> nw.LazyFrame:
    """Return ``pupil_id, first, last, marks``: the first and last day with a mark, and the number of marks."""
    day = nw.col("date")
    by_pupil = h.frame("attendance").group_by("pupil_id")
    each = by_pupil.agg(day.min().alias("first"), day.max().alias("last"), nw.len().cast(nw.Int64).alias("marks"))
    return h.given(each.collect().to_arrow())


def summed(pairs: Iterable[tuple[Hashable, int]]) -> Counter:
    """Sum numbers by key."""
    total: Counter = Counter()
    for key, n in pairs:
        total[key] += n
    return total


def marks_by_day(h: Histories) -> Counter[int]:
    """Return the number of marks by day number."""
    return summed((d, n) for d, _, _, n in marks(h))


def marks_by_month(h: Histories) -> dict[str, int]:
    """Return the number of marks by month (``2024-09``)."""
    if "attendance" not in h.present:
        return {}
    return dict(summed((day_of(d).strftime("%Y-%m"), n) for d, n in sorted(marks_by_day(h).items())))


def school_years(h: Histories) -> dict[int, Counter[str]]:
    """Return the marks by school year: all, absent, unauthorised, with unknown codes, and by session."""
    unauthorised, authorised = set(attendance_class("unauthorised")), set(attendance_class("authorised"))
    codes = set(attendance_codes())
    years: dict[int, Counter[str]] = {}
    for number, session, code, n in marks(h):
        day = day_of(number)
        year = years.setdefault(day.year - (day.month < 9), Counter())
        year["all"] += n
        year[session] += n
        year["absent"] += n * (code in authorised or code in unauthorised)
        year["unauthorised"] += n * (code in unauthorised)
        year["unknown"] += n * (code not in codes)
    return years


def delays(h: Histories) -> dict[str, dict[str, float]]:
    """Return the recording delay of each table in days: median, ninth decile, and rows counted."""
    by_table = {}
    for table, happened in DELAYED.items():
        if table in h.present:
            late = (nw.col("known") - nw.col(happened)).alias("days")
            days = h.frame(table).select(late).group_by("days").agg(nw.len().alias("n")).collect()
            counted = sorted(zip(days["days"].to_list(), days["n"].to_list(), strict=True))
            if counted:
                by_table[table] = {
                    "median": _quantile(counted, 0.5),
                    "nine_tenths": _quantile(counted, 0.9),
                    "rows": sum(n for _, n in counted),
                }
    return by_table


def _quantile(counted: list[tuple[int, int]], share: float) -> float:
    remaining = share * sum(n for _, n in counted)
    for days, n in counted:
        remaining -= n
        if remaining <= 0:
            return float(days)
    return float(counted[-1][0])
