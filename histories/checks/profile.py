"""How the tables look as wholes: marks by day, code and child, and how late things are recorded. Counted once, read by many rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from datetime import date
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

import narwhals as nw

from histories.calendar import day_number, day_of
from histories.codes import attendance_class, attendance_codes
from histories.reading.histories import Histories

Found = TypeVar("Found")
DELAYED = {
    "attendance": "date",
    "enrolments": "entry_date",
    "suspensions": "start_date",
    "sen": "start_date",
    "social_care": "start_date",
    "cme": "missing_from",
}


def _once(count: Callable[[Histories], Found]) -> Callable[[Histories], Found]:
    """Count something of histories once, for as long as they are open."""
    kept: WeakKeyDictionary[Histories, Found] = WeakKeyDictionary()

    @wraps(count)
    def counted(h: Histories) -> Found:
        if h not in kept:
            kept[h] = count(h)
        return kept[h]

    return counted


@_once
def newest_day(h: Histories) -> int:
    """Return the number of the newest day on which anything was recorded; a slip into the future does not move it."""
    return day_number(min(h.last_known(), date.today()))


@_once
def marks(h: Histories) -> list[tuple[int, str, str, int]]:
    """Return how many marks there are of each day, session and code."""
    key = ("date", "session", "code")
    found = h.frame("attendance").group_by(*key).agg(nw.len().alias("n")).collect()
    return list(zip(*(found[c].to_list() for c in (*key, "n")), strict=True))


@_once
def marks_of_pupils(h: Histories) -> nw.LazyFrame:
    """Return the first day, the last day and the number of marks of each child."""
    day = nw.col("date")
    found = h.frame("attendance").group_by("pupil_id")
    each = found.agg(day.min().alias("first"), day.max().alias("last"), nw.len().cast(nw.Int64).alias("marks"))
    return h.given(each.collect().to_arrow())


def summed(pairs: Iterable[tuple[Hashable, int]]) -> Counter:
    """Add up numbers by what they belong to."""
    total: Counter = Counter()
    for what, n in pairs:
        total[what] += n
    return total


def marks_by_day(h: Histories) -> Counter[int]:
    """Return how many marks there are of each day number."""
    return summed((d, n) for d, _, _, n in marks(h))


def marks_by_month(h: Histories) -> dict[str, int]:
    """Return how many marks there are of each month."""
    if "attendance" not in h.present:
        return {}
    return dict(summed((day_of(d).strftime("%Y-%m"), n) for d, n in sorted(marks_by_day(h).items())))


def school_years(h: Histories) -> dict[int, Counter[str]]:
    """Return of each school year how many marks there are: all, absent, unauthorised, of unknown codes, and by session."""
    unauthorised, authorised = set(attendance_class("unauthorised")), set(attendance_class("authorised"))
    known = set(attendance_codes())
    found: dict[int, Counter[str]] = {}
    for number, session, code, n in marks(h):
        day = day_of(number)
        year = found.setdefault(day.year - (day.month < 9), Counter())
        year["all"] += n
        year[session] += n
        year["absent"] += n * (code in authorised or code in unauthorised)
        year["unauthorised"] += n * (code in unauthorised)
        year["unknown"] += n * (code not in known)
    return found


def delays(h: Histories) -> dict[str, dict[str, float]]:
    """Return for each table how many days lie between a thing and its record: median, nine tenths, and rows counted."""
    found = {}
    for table, happened in DELAYED.items():
        if table in h.present:
            late = (nw.col("known") - nw.col(happened)).alias("days")
            days = h.frame(table).select(late).group_by("days").agg(nw.len().alias("n")).collect()
            counted = sorted(zip(days["days"].to_list(), days["n"].to_list(), strict=True))
            if counted:
                found[table] = {
                    "median": _quantile(counted, 0.5),
                    "nine_tenths": _quantile(counted, 0.9),
                    "rows": sum(n for _, n in counted),
                }
    return found


def _quantile(counted: list[tuple[int, int]], share: float) -> float:
    left = share * sum(n for _, n in counted)
    for days, n in counted:
        left -= n
        if left <= 0:
            return float(days)
    return float(counted[-1][0])
