"""The English school calendar: terms, half-terms, bank and inset days, and the days on which a score is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Term:
    """A term with its first and last day and the days on which schools are open."""

    name: str
    start: date
    end: date
    school_days: tuple[date, ...]


@cache
def term_dates(school_year: int) -> tuple[Term, Term, Term]:
    """Return the three terms of the school year that begins in September of a year.

    Authorities differ by days; this is a plain calendar of about 190 days with half-terms, Easter and five inset days.

    Examples
    --------
    >>> [(t.name, t.start.isoformat(), t.end.isoformat()) for t in term_dates(2024)]
    [('autumn', '2024-09-03', '2024-12-20'), ('spring', '2025-01-06', '2025-04-04'), ('summer', '2025-04-22', '2025-07-22')]
    """
    from dateutil.easter import easter

    sunday = easter(school_year + 1)
    autumn = _weekday(date(school_year, 9, 2), after_monday=True)
    christmas = _monday(date(school_year, 12, 20)) + 4 * DAY
    spring = _monday(date(school_year + 1, 1, 4) + 6 * DAY)
    # A late Easter falls into the summer term, so the break begins two weeks before it.
    late = sunday > date(school_year + 1, 4, 12)
    spring_end = sunday - (16 if late else 3) * DAY
    summer = max(_monday(spring_end + 17 * DAY), sunday + DAY)
    summer = summer + DAY if summer == sunday + DAY else summer
    return (
        _term("autumn", autumn, christmas, _monday(date(school_year, 10, 28))),
        _term("spring", spring, spring_end, _monday(date(school_year + 1, 2, 17))),
        _term("summer", summer, _weekday(date(school_year + 1, 7, 22)), _monday(date(school_year + 1, 5, 31))),
    )


def as_of_dates(first: date, last: date) -> list[date]:
    """Return the second Monday of every term from one day to another, both included.

    Examples
    --------
    >>> [d.isoformat() for d in as_of_dates(date(2024, 9, 1), date(2025, 5, 31))]
    ['2024-09-09', '2025-01-13', '2025-04-28']
    """
    found = []
    for year in range(first.year - 1, last.year + 1):
        for term in term_dates(year):
            asked = _monday(term.start) + 7 * DAY
            if first <= asked <= last:
                found.append(asked)
    return found


def school_days(first: date, last: date) -> list[date]:
    """Return the days on which schools are open, from one day to another, both included."""
    return [
        day
        for year in range(first.year - 1, last.year + 1)
        for term in term_dates(year)
        for day in term.school_days
        if first <= day <= last
    ]


def _term(name: str, start: date, end: date, half_term: date) -> Term:
    half = {half_term + n * DAY for n in range(5)}
    bank = {_monday(date(end.year, 5, 7))} if name == "summer" else set()
    inset = {half_term + 7 * DAY} if name != "summer" else {half_term + 7 * DAY, end}
    days = (start + n * DAY for n in range((end - start).days + 1))
    return Term(name, start, end, tuple(d for d in days if d.weekday() < 5 and d not in half | bank | inset))


def _monday(day: date) -> date:
    return day - day.weekday() * DAY


def _weekday(day: date, after_monday: bool = False) -> date:
    while day.weekday() > 4 or (after_monday and day.weekday() == 0):
        day += DAY
    return day
