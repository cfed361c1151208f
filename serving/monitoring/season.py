"""The records beside those of the same weeks a year before, each as known then: last month is no standard for September."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta

import narwhals as nw
import numpy as np
import polars as pl

from features import matrix
from features.counting.block_cache import BlockStore
from features.outcome.cohort import CohortRule, cohort
from histories.calendar import day_number, day_of, school_days
from histories.codes import POSSIBLE_CODES
from histories.reading.frames import collect
from histories.reading.histories import EVENTS, Histories
from training.task import ProgressCallback, quiet

YEAR = timedelta(days=364)  # the same weekday of the same week
WEEKS = timedelta(weeks=4)
SILENT = timedelta(days=14)
MIN_OPEN = 5  # school days within ``SILENT`` from which a school without a mark is silent: fewer are a holiday
FEEDS = tuple(table for table in EVENTS if table != "termly_attendance")  # tables whose rows come all year round
BINS = 10


@dataclass(frozen=True, kw_only=True)
class SilentSchool:
    """A school whose register has stopped while others go on: children on its roll, and the day of the last mark."""

    urn: str
    children: int
    last_mark: date


@dataclass(frozen=True, kw_only=True)
class Delay:
    """Mean days from a mark to its record, of the marks recorded in four weeks."""

    marks: int
    days: float


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A feature's values beside those of a year before.

    Attributes
    ----------
    missing, missing_before : float
        Share of children without a value.
    values : int
        The smaller number of children with a value.
    index : float or None
        The population stability index; see ``stability_index``.
    """

    missing: float
    missing_before: float
    values: int
    index: float | None


@dataclass(frozen=True, kw_only=True)
class Season:
    """The records as of a day, beside those as of the same weekday 52 weeks before.

    Attributes
    ----------
    day : date
    children : dict
        Children of the cohort by authority, now and then.
    recorded : dict
        Rows recorded in the four weeks before the day by table, now and then.
    delays : tuple of Delay
        Of attendance marks, now and then.
    silent_schools : list of SilentSchool or None
        None if there are no marks, or school was open on too few days.
    shifts : dict
        By feature.
    """

    day: date
    children: dict[str, tuple[int, int]] = field(default_factory=dict)
    recorded: dict[str, tuple[int, int]] = field(default_factory=dict)
    delays: tuple[Delay, Delay] | None = None
    silent_schools: list[SilentSchool] | None = None
    shifts: dict[str, Shift] = field(default_factory=dict)

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
    days = [day - YEAR, day]
    members = pl.DataFrame(cohort(histories, days, rule))
    counted = {(a, d): n for a, d, n in members.group_by("authority", "as_of").len().iter_rows()}
    authorities = sorted({authority for authority, _ in counted})
    advance(description=f"features of {days[0]} and {day}")
    x = pl.DataFrame(matrix(histories, days, rule=rule, kept=kept)) if len(members) else None
    feeds = [table for table in FEEDS if table in histories.present]
    marks = "attendance" in histories.present
    return Season(
        day=day,
        children={a: (counted.get((a, day), 0), counted.get((a, days[0]), 0)) for a in authorities},
        recorded={t: (_recorded(histories, t, day), _recorded(histories, t, days[0])) for t in feeds},
        delays=(_delay(histories, day), _delay(histories, days[0])) if marks else None,
        silent_schools=_silent_schools(histories, members.filter(pl.col("as_of") == day), day) if marks else None,
        shifts=_shifts(x, day, sorted(features)) if x is not None else {},
    )


def stability_index(now: np.ndarray, before: np.ndarray) -> float:
    """Return the population stability index of two samples over the tenths of the earlier one.

    Half a child is added to each tenth. Samples of one distribution have an index of about ``9 (1/n + 1/m)``.

    Parameters
    ----------
    now, before : float arrays, shape (children,)
        Without missing values.

    Examples
    --------
    >>> values = np.arange(1000.0)
    >>> round(stability_index(values, values), 3), round(stability_index(values + 300, values), 2)
    (0.0, 2.23)
    """
    edges = np.unique(np.quantile(before, np.linspace(0, 1, BINS + 1)[1:-1]))
    shares = []
    for sample in (now, before):
        # A value equal to an edge lies below it, so that a feature that is mostly 0 keeps its zeros in a part of their own.
        counts = np.bincount(np.searchsorted(edges, sample, side="left"), minlength=len(edges) + 1) + 0.5
        shares.append(counts / counts.sum())
    return float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())


def _recorded(histories: Histories, table: str, day: date) -> int:
    """Count the rows of a table that were recorded in the weeks before a day."""
    known = nw.col("known")
    rows = histories.frame(table).filter((known >= day_number(day - WEEKS)) & (known < day_number(day)))
    return int(collect(rows.select(known.count().alias("n")))["n"][0])


def _delay(histories: Histories, day: date) -> Delay:
    known = nw.col("known")
    rows = histories.frame("attendance").filter((known >= day_number(day - WEEKS)) & (known < day_number(day)))
    found = collect(rows.select(known.count().alias("n"), (known - nw.col("date")).mean().alias("days")))
    return Delay(marks=int(found["n"][0]), days=float(found["days"][0] or 0.0))


def _silent_schools(histories: Histories, members: pl.DataFrame, day: date) -> list[SilentSchool] | None:
    """Return the schools that sent marks within a year but none lately, though at least half of the schools did."""
    if len(school_days(day - SILENT, day - timedelta(days=1))) < MIN_OPEN or members.is_empty():
        return None
    end, since = day_number(day), day_number(day - YEAR)
    marks = histories.frame("attendance").filter(
        (nw.col("known") < end)
        & (nw.col("date") < end)
        & (nw.col("date") >= since)
        & nw.col("code").is_in(list(POSSIBLE_CODES))
    )
    at = histories.given(members.select("pupil_id", "urn").to_arrow())
    last = collect(marks.join(at, on="pupil_id").group_by("urn").agg(nw.col("date").max().alias("last")))
    lately = day_number(day - SILENT)
    stopped = last.filter(pl.col("last") < lately)
    if 2 * len(stopped) > len(last) or last.is_empty():
        return None
    children = dict(members.group_by("urn").len().iter_rows())
    return [
        SilentSchool(urn=urn, children=children[urn], last_mark=day_of(newest))
        for urn, newest in stopped.sort("urn").select("urn", "last").iter_rows()
    ]


def _shifts(x: pl.DataFrame, day: date, features: list[str]) -> dict[str, Shift]:
    is_now = (x["as_of"] == day).to_numpy()
    shifts = {}
    for name in features:
        if name not in x.columns or not is_now.any() or is_now.all():
            continue
        values = x[name].to_numpy()
        now, then = values[is_now], values[~is_now]
        given, given_then = now[~np.isnan(now)], then[~np.isnan(then)]
        fewest = min(len(given), len(given_then))
        shifts[name] = Shift(
            missing=1 - len(given) / len(now),
            missing_before=1 - len(given_then) / len(then),
            values=fewest,
            index=stability_index(given, given_then) if fewest else None,
        )
    return shifts
