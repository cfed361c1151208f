"""Each school's school days: the days it marked its register, and the general calendar for days since its newest register."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from statistics import median

import narwhals as nw
import polars as pl

from features.attendance.register import MEASURES
from histories.calendar import day_number, day_of, school_days
from histories.reading.frames import collect
from histories.reading.histories import Histories

REACH = 130  # days of marks to read before the as-of date
STRAY = 0.1  # share of a school's usual marks of a day, below which they are single children's and no register


class SchoolDays:
    """The school days of every school.

    Parameters
    ----------
    held : dict
        ``{urn: days on which it marked a register of more than single children}``; a school without marks follows the general calendar.
        A child who is marked elsewhere on a day, such as at a second school, opens no school.
    first : date
        The day from which marks were read.
    closed : frozenset of date
        Days on which all of the authority's schools are closed.
    sent : dict, optional
        ``{urn: the newest day with a register}``, days on which no session was possible included. Later days are those of the general
        calendar: a school that sends nothing, or sends late, may well be open.
    """

    def __init__(
        self,
        held: dict[str, set[date]],
        first: date,
        closed: frozenset[date] = frozenset(),
        *,
        sent: Mapping[str, date] | None = None,
    ) -> None:
        self.held, self.first, self.closed = held, first, closed
        self.sent = {urn: max(days) for urn, days in held.items()} if sent is None else sent

    def nth(self, urn: str, start: date, n: int) -> date:
        """Return the n-th school day of a school from ``start`` on; ``start`` is the first if it is a school day.

        Examples
        --------
        >>> days = SchoolDays({"100": {date(2025, 1, 13), date(2025, 1, 15)}}, date(2025, 1, 1))
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
        held = self.held.get(urn)
        if held and self.first <= day <= self.sent[urn]:
            return day in held
        return day in _general(day.year) and day not in self.closed

    @classmethod
    def of(cls, histories: Histories, at: pl.DataFrame, as_of: date, closed: frozenset[date]) -> SchoolDays:
        """Read the school days from the marks of pupils at their schools.

        Parameters
        ----------
        at : polars.DataFrame
            ``pupil_id, urn, entry_date``; marks before the entry are another school's.
        """
        first, day = as_of - timedelta(days=REACH), day_number(as_of)
        if "attendance" not in histories.present or at.is_empty():
            return cls({}, first, closed)
        marks = histories.frame("attendance").filter(
            (nw.col("date") < day) & (nw.col("date") >= day_number(first)) & (nw.col("known") < day)
        )
        keys = histories.given(at.select("pupil_id", "urn", "entry_date").to_arrow())
        marks = marks.join(keys, on="pupil_id", how="inner").filter(nw.col("date") >= nw.col("entry_date"))
        possible = nw.col("code").is_in(list(MEASURES["possible"])).cast(nw.Int64)
        of_days = marks.with_columns(possible.alias("n")).group_by("urn", "date")
        counted = collect(of_days.agg(nw.col("n").sum(), nw.len().alias("every")))
        counts: dict[str, dict[date, tuple[int, int]]] = defaultdict(dict)
        for urn, on, n, every in counted.select("urn", "date", "n", "every").iter_rows():
            counts[urn][day_of(on)] = (int(n), int(every))
        possible_days = {urn: {d: n for d, (n, _) in of_school.items() if n} for urn, of_school in counts.items()}
        held = {urn: _no_strays(of_school) for urn, of_school in possible_days.items() if of_school}
        sent = {urn: max(_no_strays({d: n for d, (_, n) in of_school.items()})) for urn, of_school in counts.items()}
        return cls(held, first, closed, sent=sent)


def _no_strays(marks: Mapping[date, int]) -> set[date]:
    """Return the days with more marks than those of single children."""
    least = STRAY * median(marks.values())
    return {day for day, n in marks.items() if n >= least}


_YEARS: dict[int, frozenset[date]] = {}


def _general(year: int) -> frozenset[date]:
    if year not in _YEARS:
        _YEARS[year] = frozenset(school_days(date(year, 1, 1), date(year, 12, 31)))
    return _YEARS[year]
