"""The records beside those of the same weeks a year before, each as known then: last month is no standard for September."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import narwhals as nw
import numpy as np
import polars as pl

from features import matrix
from features.catalogue import catalogue
from features.counting.block_cache import BlockStore
from features.outcome.cohort import CohortRule, cohort
from histories.calendar import day_number, day_of, school_days
from histories.codes import POSSIBLE_CODES
from histories.reading.frames import collect
from histories.reading.histories import EVENTS, Histories
from serving.monitoring.by_authority import (
    WEEKS,
    Delay,
    by_authority,
    compared_delays,
    delays,
    newest_records,
    recorded,
    several,
)
from training.task import ProgressCallback, quiet

YEAR = timedelta(days=364)  # the same weekday of the same week
# Last year's features are held beside those of two years before it, to see whether it can be a standard.
YEARS_BACK = 3
DAY = timedelta(days=1)
SILENT = timedelta(days=14)
MIN_OPEN = 5  # school days within ``SILENT`` from which a school without a mark is silent: fewer are a holiday
RECENT = 60  # days in which the last school day is looked for; no holiday is longer
REMEMBERED = 2 * YEAR  # a school that has sent no marks for a year is as silent as before
FEEDS = tuple(table for table in EVENTS if table != "termly_attendance")  # tables whose rows come all year round


@dataclass(frozen=True, kw_only=True)
class SilentSchool:
    """A school whose register has stopped while others go on: children on its roll, and the day of the last mark."""

    urn: str
    children: int
    last_mark: date


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A feature's values beside those of a year before.

    Attributes
    ----------
    missing, missing_before : float
        Share of children without a value.
    values : int
        The smallest number of children with a value in any of the three years; 0 if the histories do not reach back two years.
    alike : bool
        Whether the feature can be compared with a year before: what tells of the last two weeks cannot if holidays lay elsewhere in them.
    difference, usual : float or None
        The standardised difference (``standardised_difference``) from a year before, and that of a year before from two years before: the calendar alone makes
        features differ a little. None for features that are no reasons: those of a school, an area or the calendar are shared by many children, so that a few
        schools move them each year.
    """

    missing: float
    missing_before: float
    values: int
    alike: bool = True
    difference: float | None
    usual: float | None


@dataclass(frozen=True, kw_only=True)
class Season:
    """The records as of a day, beside those as of the same weekday 52 weeks before.

    Attributes
    ----------
    day : date
    children : dict
        Children of the cohort by authority, now and a year before.
    recorded : dict
        Rows recorded in the four weeks before the day by table, now and then.
    open_days : tuple of int
        School days of these weeks, now and then: Easter and half-terms move.
    absent : tuple of str
        Tables whose rows come all year round, of which there is nothing at all.
    recorded_in : dict
        As ``recorded``, by authority; empty where all children are of one.
    delays : tuple of Delay
        Of attendance marks, now and then.
    silent_schools : list of SilentSchool or None
        None if there are no marks, or school was open on too few days.
    shifts : dict
        By feature.
    delays_in, shifts_in, newest_in : dict
        ``delays``, ``shifts`` and the day of the newest record of schooling, by authority; empty where all children are of one.
    last_year : Season or None
        The same of the day a year before, without schools and newest records: whether it can be a standard.
    """

    day: date
    children: dict[str, tuple[int, int]] = field(default_factory=dict)
    recorded: dict[str, tuple[int, int]] = field(default_factory=dict)
    recorded_in: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    open_days: tuple[int, int] = (20, 20)
    delays: tuple[Delay, Delay] | None = None
    delays_in: dict[str, tuple[Delay, Delay]] = field(default_factory=dict)
    silent_schools: list[SilentSchool] | None = None
    shifts: dict[str, Shift] = field(default_factory=dict)
    shifts_in: dict[str, dict[str, Shift]] = field(default_factory=dict)
    newest_in: dict[str, date] = field(default_factory=dict)
    last_year: Season | None = None

    @property
    def before(self) -> date:
        """The day a year before."""
        return self.day - YEAR

    @property
    def totals(self) -> tuple[int, int]:
        """Children of all authorities, now and then."""
        return sum(now for now, _ in self.children.values()), sum(before for _, before in self.children.values())


def season_of(
    histories: Histories,
    day: date,
    features: Collection[str],
    rule: CohortRule | None = None,
    *,
    kept: BlockStore | None = None,
    advance: ProgressCallback = quiet,
) -> Season:
    """Measure the records as of a day and a year before.

    Parameters
    ----------
    day : date
    features : collection of str
        The features to compare: those of the models in use.
    rule : CohortRule, optional
    kept : BlockStore, optional
        Keeps counts for the next run.
    """
    days = [day - n * YEAR for n in range(YEARS_BACK, -1, -1)]
    members = pl.DataFrame(cohort(histories, days, rule))
    advance(description=f"features of {day} and the same days of the years before")
    x = pl.DataFrame(matrix(histories, days, rule=rule, kept=kept)) if len(members) else None
    return measured(histories, members, x, day, features)


def measured(
    histories: Histories, members: pl.DataFrame, x: pl.DataFrame | None, day: date, features: Collection[str]
) -> Season:
    """Measure the records as ``season_of`` does, given what takes long.

    Parameters
    ----------
    members : polars.DataFrame
        The cohorts of the day, and of the same day up to ``YEARS_BACK`` years before.
    x : polars.DataFrame or None
        Their features; without them no feature is compared.
    """
    present = [table for table in FEEDS if table in histories.present]
    days, named = [day - n * YEAR for n in range(3)], sorted(features)
    counts = {d: {t: recorded(histories, t, d) for t in present} for d in days}
    late = {d: delays(histories, d) for d in days} if "attendance" in histories.present else {}
    last, now = (_beside(members, d, counts, late) for d in (day - YEAR, day))
    of_day = members.filter(pl.col("as_of") == day)
    return replace(
        now,
        absent=tuple(t for t in FEEDS if t not in present),
        silent_schools=_silent_schools(histories, of_day, day) if late else None,
        shifts=_shifts(x, day, named) if x is not None else {},
        shifts_in=several(_shifts_in(x, members, day, named)) if x is not None else {},
        newest_in=several(newest_records(histories, day, sorted(of_day["authority"].unique()))),
        last_year=replace(
            last,
            shifts=_shifts(x, day - YEAR, named) if x is not None else {},
            shifts_in=several(_shifts_in(x, members, day - YEAR, named)) if x is not None else {},
        ),
    )


def _beside(
    members: pl.DataFrame,
    day: date,
    counts: Mapping[date, Mapping[str, Mapping[str, int]]],
    late: Mapping[date, Mapping[str, Delay]],
) -> Season:
    """Return what is counted of a day beside the same day a year before."""
    before = day - YEAR
    counted = {(a, d): n for a, d, n in members.group_by("authority", "as_of").len().iter_rows()}
    feeds = {table: (rows, counts[before][table]) for table, rows in counts[day].items()}
    delay, delays_in = compared_delays(late[day], late[before]) if late else (None, {})
    return Season(
        day=day,
        children={a: (counted.get((a, day), 0), counted.get((a, before), 0)) for a in sorted({a for a, _ in counted})},
        recorded={t: (sum(now.values()), sum(then.values())) for t, (now, then) in feeds.items()},
        recorded_in=by_authority(feeds),
        open_days=(_open_days(day, WEEKS), _open_days(before, WEEKS)),
        delays=delay,
        delays_in=several(delays_in),
    )


def standardised_difference(now: np.ndarray, before: np.ndarray) -> float:
    """Return the difference of two means over the root of the mean variance (Austin 2009).

    Means are compared, not whole distributions: half-term a week earlier changes how finely a rate is measured, but not its mean.

    Parameters
    ----------
    now, before : float arrays, shape (children,)
        Without missing values.

    Examples
    --------
    >>> values = np.arange(1000.0)
    >>> standardised_difference(values, values), round(standardised_difference(values + 300, values), 2)
    (0.0, 1.04)
    """
    difference = float(now.mean() - before.mean())
    spread = float(np.sqrt((now.var() + before.var()) / 2))
    if spread == 0:
        return 0.0 if difference == 0 else float(np.copysign(np.inf, difference))
    return difference / spread


def same_holidays(day: date, other: date) -> bool:
    """Return whether the two weeks before two days, and the last school day before them, lie alike: one closed day more or less makes no difference.

    Examples
    --------
    >>> same_holidays(date(2025, 3, 17), date(2024, 3, 18)), same_holidays(date(2025, 4, 21), date(2024, 4, 22))
    (True, False)
    """
    before = [{(d - opened).days for opened in school_days(d - timedelta(days=RECENT), d - DAY)} for d in (day, other)]
    lately = [{n for n in days if n <= SILENT.days} for days in before]
    newest = [min(days, default=None) for days in before]
    return newest[0] == newest[1] and len(lately[0] ^ lately[1]) <= 1


def _open_days(day: date, span: timedelta) -> int:
    return len(school_days(day - span, day - DAY))


def _silent_schools(histories: Histories, members: pl.DataFrame, day: date) -> list[SilentSchool] | None:
    """Return the schools that sent marks within ``REMEMBERED`` but none lately, though at least half of the schools did."""
    if _open_days(day, SILENT) < MIN_OPEN or members.is_empty():
        return None
    end, since = day_number(day), day_number(day - REMEMBERED)
    marks = histories.frame("attendance").filter(
        (nw.col("known") < end)
        & (nw.col("date") < end)
        & (nw.col("date") >= since)
        & nw.col("code").is_in(list(POSSIBLE_CODES))
    )
    at = histories.given(members.select("pupil_id", "urn", "entry_date").to_arrow())
    # A mark from before a child joined was sent by another school.
    own = marks.join(at, on="pupil_id").filter(nw.col("date") >= nw.col("entry_date"))
    last = collect(own.group_by("urn").agg(nw.col("date").max().alias("last")))
    lately = day_number(day - SILENT)
    stopped = last.filter(pl.col("last") < lately)
    if 2 * len(stopped) > len(last) or last.is_empty():
        return None
    children = dict(members.group_by("urn").len().iter_rows())
    return [
        SilentSchool(urn=urn, children=children[urn], last_mark=day_of(newest))
        for urn, newest in stopped.sort("urn").select("urn", "last").iter_rows()
    ]


def _shifts_in(x: pl.DataFrame, members: pl.DataFrame, day: date, features: list[str]) -> dict[str, dict[str, Shift]]:
    """Compare features in each authority, if there are several."""
    authorities = sorted(members["authority"].unique().to_list())
    if len(authorities) < 2:
        return {}
    placed = x.join(members.select("pupil_id", "as_of", "authority"), on=["pupil_id", "as_of"])
    return {a: _shifts(placed.filter(pl.col("authority") == a), day, features) for a in authorities}


def _shifts(x: pl.DataFrame, day: date, features: list[str]) -> dict[str, Shift]:
    """Compare features; without children now or a year before there is nothing to compare."""
    now, before, earlier = (x.filter(pl.col("as_of") == day - n * YEAR) for n in range(3))
    if now.is_empty() or before.is_empty():
        return {}
    reasons = {f.name for f in catalogue().features if f.role == "reason"}
    lately = {
        f.name
        for f in catalogue().features
        if "attendance" in f.sources and (f.unit == "days" or f.window is None or f.window <= SILENT.days)
    }
    alike = same_holidays(day, day - YEAR)
    shifts = {}
    for name in features:
        if name in x.columns:
            values = (now[name].to_numpy(), before[name].to_numpy(), earlier[name].to_numpy())
            shifts[name] = replace(_shift(*values, compared=name in reasons), alike=alike or name not in lately)
    return shifts


def _shift(now: np.ndarray, before: np.ndarray, earlier: np.ndarray, *, compared: bool) -> Shift:
    given, given_before, given_earlier = (values[~np.isnan(values)] for values in (now, before, earlier))
    fewest = min(len(given), len(given_before), len(given_earlier))
    return Shift(
        missing=1 - len(given) / len(now),
        missing_before=1 - len(given_before) / len(before),
        values=fewest,
        difference=standardised_difference(given, given_before) if fewest and compared else None,
        usual=standardised_difference(given_before, given_earlier) if fewest and compared else None,
    )
