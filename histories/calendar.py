"""Dates as day numbers, and the English school calendar: terms, half-terms, bank holidays, inset days, as-of dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
EPOCH = date(1970, 1, 1)
ONE_DAY = timedelta(days=1)
HORIZON = 120  # days of the outcome window; docs/decisions/0003-horizon-and-as-of-dates.md


def day_number(day: date) -> int:
    """Return the whole days from 1970-01-01 to a date.

    Examples
    --------
    >>> day_number(date(1970, 1, 2))
    1
    """
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """Return the date of a day number."""
    return EPOCH + timedelta(days=int(number))


def london_day(moment: datetime) -> date:
    """Return the day of a moment in England.

    Examples
    --------
    >>> london_day(datetime(2024, 6, 30, 23, 30, tzinfo=UTC))
    datetime.date(2024, 7, 1)
    """
    return moment.astimezone(LONDON).date()


def london_minute(moment: datetime | str) -> str:
    """Return the day and the minute of a moment in England, as text; a text is a moment in ISO format with its zone.

    Examples
    --------
    >>> london_minute(datetime(2024, 6, 30, 23, 30, tzinfo=UTC)), london_minute("2024-12-31T23:30:59+00:00")
    ('2024-07-01 00:30', '2024-12-31 23:30')
    """
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{at.astimezone(LONDON):%Y-%m-%d %H:%M}"


def london_today() -> date:
    """Return the day that it is in England, whatever the machine's time zone."""
    return london_day(datetime.now(UTC))


def london_midnight(day: date) -> datetime:
    """Return the moment at which a day begins in England.

    Examples
    --------
    >>> london_midnight(date(2024, 7, 1)).isoformat()
    '2024-07-01T00:00:00+01:00'
    """
    return datetime.combine(day, time(), LONDON)


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

    Authorities differ by a few days; this calendar has about 190 days, with half-terms, Easter and five inset days.

    Examples
    --------
    >>> [(t.name, t.start.isoformat(), t.end.isoformat()) for t in term_dates(2024)]
    [('autumn', '2024-09-03', '2024-12-20'), ('spring', '2025-01-06', '2025-04-04'), ('summer', '2025-04-22', '2025-07-22')]
    """
    from dateutil.easter import easter

    sunday = easter(school_year + 1)
    autumn = _weekday(date(school_year, 9, 2), after_monday=True)
    christmas = _monday(date(school_year, 12, 20)) + 4 * ONE_DAY
    spring = _monday(date(school_year + 1, 1, 4) + 6 * ONE_DAY)
    # A late Easter falls into the summer term, so the break begins two weeks before it.
    late = sunday > date(school_year + 1, 4, 12)
    spring_end = sunday - (16 if late else 3) * ONE_DAY
    summer = max(_monday(spring_end + 17 * ONE_DAY), sunday + ONE_DAY)
    summer = summer + ONE_DAY if summer == sunday + ONE_DAY else summer
    return (
        _term("autumn", autumn, christmas, _monday(date(school_year, 10, 28))),
        _term("spring", spring, spring_end, _monday(date(school_year + 1, 2, 17))),
        _term("summer", summer, _weekday(date(school_year + 1, 7, 22)), _monday(date(school_year + 1, 5, 31))),
    )


def as_of_dates(first: date, last: date) -> list[date]:
    """Return the second Monday of every term from ``first`` to ``last``, inclusive.

    Examples
    --------
    >>> [d.isoformat() for d in as_of_dates(date(2024, 9, 1), date(2025, 5, 31))]
    ['2024-09-09', '2025-01-13', '2025-04-28']
    """
    days = []
    for year in range(first.year - 1, last.year + 1):
        for term in term_dates(year):
            second_monday = _monday(term.start) + 7 * ONE_DAY
            if first <= second_monday <= last:
                days.append(second_monday)
    return days


def school_days(first: date, last: date) -> list[date]:
    """Return the days on which schools are open, from ``first`` to ``last``, inclusive."""
    return [
        day
        for year in range(first.year - 1, last.year + 1)
        for term in term_dates(year)
        for day in term.school_days
        if first <= day <= last
    ]


def compulsory_school_age(born: date) -> tuple[date, date]:
    """Return the first and the last day on which a child is of compulsory school age.

    It begins on the prescribed day (31 August, 31 December, 31 March) on or after the fifth birthday, and ends on the last
    Friday in June of the school year, from September to August, in which the child turns 16 (Education Act 1996, section 8).

    Examples
    --------
    >>> [d.isoformat() for d in compulsory_school_age(date(2012, 9, 1))]
    ['2017-12-31', '2029-06-29']
    """
    fifth = (born.year + 5, born.month, born.day)
    year = born.year + 5
    prescribed = ((year, 3, 31), (year, 8, 31), (year, 12, 31))
    first = next(day for day in prescribed if day >= fifth)
    last_of_june = date(born.year + 16 + (born.month > 8), 6, 30)
    return date(*first), last_of_june - (last_of_june.weekday() - 4) % 7 * ONE_DAY


def _term(name: str, start: date, end: date, half_term: date) -> Term:
    half = {half_term + n * ONE_DAY for n in range(5)}
    bank = {_monday(date(end.year, 5, 7))} if name == "summer" else set()
    inset = {half_term + 7 * ONE_DAY} if name != "summer" else {half_term + 7 * ONE_DAY, end}
    days = (start + n * ONE_DAY for n in range((end - start).days + 1))
    return Term(name, start, end, tuple(d for d in days if d.weekday() < 5 and d not in half | bank | inset))


def _monday(day: date) -> date:
    return day - day.weekday() * ONE_DAY


def _weekday(day: date, after_monday: bool = False) -> date:
    while day.weekday() > 4 or (after_monday and day.weekday() == 0):
        day += ONE_DAY
    return day
