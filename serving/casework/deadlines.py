"""Statutory duties with a due date, started and stopped by the histories; the authority's settings say how long each runs.

What the histories cannot show, such as a transfer file sent, a person marks as done on the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import narwhals as nw
import polars as pl
import pyarrow as pa

from features.attendance.register import MEASURES
from histories.calendar import day_number, day_of
from histories.reading.as_of import valid_marks, visible
from histories.reading.frames import collect
from histories.reading.histories import Histories
from serving.casework.school_days import SchoolDays

NOT_KNOWN = (None, "unknown")
ENDED = ("deceased", "over_age", "home_education", "custody", "abroad")  # no receiving school needs a transfer file
FILE_REACH = 60  # days after leaving for which a transfer file is still due
RUNS = {"unauthorised_10": "unauthorised", "unauthorised_20": "unauthorised", "sickness_15": "ill"}
BY_PERSON = (*RUNS, "transfer_file")  # no record shows that these were done, so a person confirms them
RUN_DAYS = 130  # days searched for a run of absence
ACTIVE_DAYS, MIN_SESSIONS = 21, 6  # minimal sessions in the newest days for a run to be current


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """A duty that is due."""

    pupil_id: str
    kind: str
    urn: str
    started_on: date
    due_on: date


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
    """

    school_days: int
    from_day: int = 0
    since: date = date.min


Rules = Mapping[str, Sequence[DeadlineRule]]  # of each kind of duty, in the order of their days


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


def find_deadlines(
    histories: Histories, spells: pl.DataFrame, as_of: date, days: SchoolDays, rules: Rules
) -> list[Deadline]:
    """Return every deadline that runs as of a day.

    Parameters
    ----------
    histories : Histories
    spells : polars.DataFrame
        See ``rolls.last_spells``.
    as_of : date
    days : SchoolDays
    rules : mapping
        By kind; duties without a rule on the day they begin are skipped.
    """
    started = [*_of_leavers(histories, spells, as_of), *_of_runs(histories, spells, as_of, rules)]
    return [
        Deadline(pupil_id=pupil, kind=kind, urn=urn, started_on=start, due_on=_due(days, urn, start, rule.school_days))
        for pupil, kind, urn, start in started
        if (rule := rule_of(rules, kind, start))
    ]


def _due(days: SchoolDays, urn: str, start: date, n: int) -> date:
    return days.nth(urn, start, n) if n else start


def _of_leavers(histories: Histories, spells: pl.DataFrame, as_of: date) -> Iterator[tuple[str, str, str, date]]:
    leavers = spells.filter(pl.col("leaving_date").is_not_null() & ~pl.col("on_roll"))
    opened = _cases(histories, leavers, as_of)
    for r in leavers.iter_rows(named=True):
        pupil, urn, gone = r["pupil_id"], r["urn"], day_of(r["leaving_date"])
        after, where = gone + timedelta(days=1), r["destination"]
        if r["leaving_ground"] is None:
            yield pupil, "deletion_return", urn, gone
        if where in NOT_KNOWN:
            yield pupil, "destination", urn, after
        if where not in ENDED and (as_of - gone).days <= FILE_REACH:
            yield pupil, "transfer_file", urn, after
        if where == "state_school" and r["destination_urn"]:
            yield pupil, "new_pupil_return", r["destination_urn"], after
        if where in (*NOT_KNOWN, "missing_education") and opened.get(pupil, -1) < r["leaving_date"]:
            yield pupil, "case_not_opened", urn, after


def _cases(histories: Histories, leavers: pl.DataFrame, as_of: date) -> dict[str, int]:
    """Return the day each child's newest case was reported."""
    if "cme" not in histories.present or leavers.is_empty():
        return {}
    day = day_number(as_of)
    keys = pa.table({"pupil_id": leavers["pupil_id"].to_arrow(), "as_of": pa.array([day] * len(leavers), pa.int32())})
    rows = collect(visible(histories, "cme", histories.given(keys)))
    return dict(rows.group_by("pupil_id").agg(pl.col("reported_on").max()).iter_rows())


def _of_runs(
    histories: Histories, spells: pl.DataFrame, as_of: date, rules: Rules
) -> Iterator[tuple[str, str, str, date]]:
    """Yield runs of school days that a child missed completely: current runs, and those that became due."""
    if "attendance" not in histories.present:
        return
    day = day_number(as_of)
    marks = histories.frame("attendance").filter((nw.col("date") < day) & (nw.col("known") < day))
    for what in ("unauthorised", "ill"):
        codes = list(MEASURES["ill"][:1] if what == "ill" else MEASURES[what])
        newest = marks.filter((nw.col("date") >= day - ACTIVE_DAYS) & nw.col("code").is_in(codes))
        many = newest.group_by("pupil_id").agg(nw.len().alias("n")).filter(nw.col("n") >= MIN_SESSIONS)
        rows = collect(
            valid_marks(
                marks.filter(nw.col("date") >= day - RUN_DAYS).join(many.select("pupil_id"), on="pupil_id", how="semi")
            ).select("pupil_id", "date", "code")
        )
        for pupil, first, length, goes_on in _runs(rows, codes):
            at = spells.filter((pl.col("pupil_id") == pupil) & pl.col("on_roll"))
            for kind, of in RUNS.items():
                rule = rule_of(rules, kind, day_of(first))
                if of != what or rule is None or at.is_empty():
                    continue
                # A run that has reached its day is due, even if another mark ended it since.
                if length >= (rule.from_day if goes_on else max(rule.school_days, 1)):
                    yield pupil, kind, at["urn"][0], day_of(first)


def _runs(rows: pl.DataFrame, codes: list[str]) -> Iterator[tuple[str, int, int, bool]]:
    """Yield each child's runs: the first day, the length in school days, and whether the run goes on to the last marked day."""
    rows = rows.filter(pl.col("code").is_in(list(MEASURES["possible"])))
    whole = rows.group_by("pupil_id", "date").agg(pl.col("code").is_in(codes).all().alias("missed"))
    whole = whole.sort("pupil_id", "date").with_columns(
        pl.col("missed").rle_id().over("pupil_id").alias("run"), pl.col("date").max().over("pupil_id").alias("last")
    )
    runs = whole.filter("missed").group_by("pupil_id", "run")
    absences = runs.agg(
        pl.col("date").min().alias("first"),
        pl.len().alias("length"),
        (pl.col("date").max() == pl.col("last").max()).alias("goes_on"),
    )
    yield from absences.sort("pupil_id", "first").select("pupil_id", "first", "length", "goes_on").iter_rows()
