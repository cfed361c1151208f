"""Each school's school days: the days it marked its register, and the general calendar for days to come."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

import narwhals as nw
import polars as pl

from features.attendance.register import MEASURES
from histories.calendar import day_number, day_of, school_days
from histories.reading.frames import collect
from histories.reading.histories import Histories

REACH = 130  # days of marks to read before the as-of date


class SchoolDays:
    """The school days of every school.

    Parameters
    ----------
    marked : dict
        ``{urn: days on which it marked a register}``; a school without marks follows the general calendar.
    first, last : date
        The first and last day of the marks.
    closed : frozenset of date
        Days on which all of the authority's schools are closed.
    """

    def __init__(
        self, marked: dict[str, set[date]], first: date, last: date, closed: frozenset[date] = frozenset()
    ) -> None:
        self.marked, self.first, self.last, self.closed = marked, first, last, closed

    def nth(self, urn: str, start: date, n: int) -> date:
        """Return the n-th school day of a school from ``start`` on; ``start`` is the first if it is a school day.

        Examples
        --------
        >>> days = SchoolDays({"100": {date(2025, 1, 13), date(2025, 1, 15)}}, date(2025, 1, 1), date(2025, 1, 15))
        >>> days.nth("100", date(2025, 1, 13), 2), days.nth("100", date(2025, 1, 13), 3), days.nth("200", date(2025, 1, 13), 2)
        (datetime.date(2025, 1, 15), datetime.date(2025, 1, 16), datetime.date(2025, 1, 14))
        """
        remaining, day = n, start
        while True:
            remaining -= self.is_open(urn, day)
            if remaining <= 0 and self.is_open(urn, day):
                return day
            day += timedelta(days=1)

    def back(self, day: date, n: int) -> date:
        """Return the n-th school day before a day, by the general calendar."""
        while n > 0:
            day -= timedelta(days=1)
            n -= day in _general(day.year) and day not in self.closed
        return day

    def is_open(self, urn: str, day: date) -> bool:
        """Return whether a school is open on a day."""
        marked = self.marked.get(urn)
        if marked and self.first <= day <= self.last:
            return day in marked
        return day in _general(day.year) and day not in self.closed

    @classmethod
    def of(cls, histories: Histories, at: pl.DataFrame, as_of: date, closed: frozenset[date]) -> SchoolDays:
        """Read the school days from the marks of pupils at their schools.

        Parameters
        ----------
        at : polars.DataFrame
            ``pupil_id, urn``.
        """
        first, day = as_of - timedelta(days=REACH), day_number(as_of)
        if "attendance" not in histories.present or at.is_empty():
            return cls({}, first, first, closed)
        marks = histories.frame("attendance").filter(
            (nw.col("date") < day)
            & (nw.col("date") >= day_number(first))
            & (nw.col("known") < day)
            & nw.col("code").is_in(list(MEASURES["possible"]))
        )
        keys = histories.given(at.select("pupil_id", "urn").to_arrow())
        rows = collect(marks.join(keys, on="pupil_id", how="inner").group_by("urn", "date").agg(nw.len().alias("n")))
        marked: dict[str, set[date]] = defaultdict(set)
        for row in rows.iter_rows(named=True):
            marked[row["urn"]].add(day_of(row["date"]))
        last = max((max(days) for days in marked.values()), default=first)
        return cls(dict(marked), first, last, closed)


_YEARS: dict[int, frozenset[date]] = {}


def _general(year: int) -> frozenset[date]:
    if year not in _YEARS:
        _YEARS[year] = frozenset(school_days(date(year, 1, 1), date(year, 12, 31)))
    return _YEARS[year]
