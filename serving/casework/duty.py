"""What a statutory duty is, and how long it may take: the authority's settings say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from histories.reading.histories import Histories
from serving.casework.school_days import SchoolDays


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """A duty that is due.

    Attributes
    ----------
    same : tuple of date or None
        Between which days a duty of the kind that was stored earlier began with the same leaving or run, whose first day may have been
        corrected since.
    """

    pupil_id: str
    kind: str
    urn: str
    started_on: date
    due_on: date
    same: tuple[date, date] | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class Duties:
    """The duties as of a day.

    Attributes
    ----------
    due : list of Deadline
        Those that run by the records.
    over : list of Deadline
        Those of the running ones that records show as done, or as never arisen.
    """

    due: list[Deadline] = field(default_factory=list)
    over: list[Deadline] = field(default_factory=list)


@dataclass(frozen=True)
class DeadlineRule:
    """How long a duty may take; see ``serving/pages/pages.toml``.

    Attributes
    ----------
    school_days : int
        -1 if there is no such duty.
    from_day : int
        A run of absence counts from this school day on.
    since : date
        The rule holds for duties that begin on this day or later, until a later rule holds.
    cumulative : bool
        Missed days of one school year count together, not only those one after the other.
    at_transition : bool
        Of a return: whether it is due too when a child leaves a school from its oldest year, or begins one in its youngest, at the end of a
        school year.
    """

    school_days: int
    from_day: int = 0
    since: date = date.min
    cumulative: bool = False
    at_transition: bool = True


Rules = Mapping[str, Sequence[DeadlineRule]]  # of each kind of duty, in the order of their days


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known as of a day; see ``find_deadlines``."""

    histories: Histories
    spells: pl.DataFrame
    as_of: date
    days: SchoolDays
    rules: Rules


def rule_of(rules: Rules, kind: str, start: date) -> DeadlineRule | None:
    """Return the rule that holds for a duty that begins on a day; None if there is no such duty then.

    Examples
    --------
    >>> rules = {"destination": [DeadlineRule(10), DeadlineRule(5, since=date(2026, 9, 1))]}
    >>> [rule_of(rules, "destination", date(2026, m, 1)).school_days for m in (8, 9)]
    [10, 5]
    """
    holding = [rule for rule in rules.get(kind, ()) if rule.since <= start]
    return holding[-1] if holding and holding[-1].school_days >= 0 else None


def school_year(day: date) -> int:
    """Return the year in which the school year of a day began.

    Examples
    --------
    >>> school_year(date(2026, 8, 31)), school_year(date(2026, 9, 1))
    (2025, 2026)
    """
    return day.year if day.month >= 9 else day.year - 1
