"""Duties that a run of completely missed school days begins: the school tells the authority of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import narwhals as nw
import polars as pl

from features.attendance.register import MEASURES
from histories.calendar import day_number, day_of
from histories.reading.frames import collect
from serving.casework import runs
from serving.casework.duty import Deadline, DeadlineRule, Duties, Known, Rules, rule_of, school_year
from serving.casework.rolls import SchoolsThen, followed, schools_then, spells_by_pupil
from serving.casework.runs import Missed, Run
from serving.casework.school_days import SchoolDays

RUNS = {"unauthorised_10": "unauthorised", "unauthorised_20": "unauthorised", "sickness_15": "ill"}
CODES = {"unauthorised": MEASURES["unauthorised"], "ill": MEASURES["ill"][:1]}


def of_absence(known: Known, running: Sequence[Deadline]) -> Duties:
    """Return the duties of completely missed school days: of current runs and those that reached their day, or of all days of a school year."""
    shown = set(followed(known.spells, known.as_of).filter("on_roll")["pupil_id"])
    active_since = known.days.back(known.as_of, runs.ACTIVE)
    duties = Duties()
    for what, codes in CODES.items():
        kept = [d for d in running if RUNS[d.kind] == what]
        kinds = [kind for kind, of in RUNS.items() if of == what]
        also = _often_missed(known, kinds, codes, shown)
        for duty in kept:
            also[duty.pupil_id] = min(duty.started_on, also.get(duty.pupil_id, duty.started_on))
        first_days = [rule.from_day for kind in kinds for rule in known.rules.get(kind, ()) if rule.school_days >= 0]
        missed = runs.find_missed(
            known.histories,
            codes,
            known.as_of,
            active_since=active_since,
            min_days=max(min(first_days, default=1), 1),
            also=also,
        )
        last = spells_by_pupil(known.spells, shown.union(also).intersection(missed))
        moved = [p for p in last if missed[p].runs and missed[p].runs[0].days[0] < last[p]["entry_date"]]
        then = schools_then(known.histories, moved, known.as_of)
        for pupil, of_child in missed.items():
            if pupil in last:
                begun = _begun(known, last[pupil], of_child, kinds, then, is_shown=pupil in shown)
                duties.due.extend(begun)
        duties.over.extend(_not_reached(kept, missed, known.rules, shown))
    return duties


def _often_missed(known: Known, kinds: Iterable[str], codes: Sequence[str], among: set[str]) -> dict[str, date]:
    """Return the children of whom a duty may count all days of the school year, each with its first day: none where every rule counts runs."""
    rules = [rule for kind in kinds if (rule := rule_of(known.rules, kind, known.as_of)) and rule.cumulative]
    if not rules or "attendance" not in known.histories.present:
        return {}
    september, day = date(school_year(known.as_of), 9, 1), day_number(known.as_of)
    of_year = (nw.col("date") >= day_number(september)) & (nw.col("date") < day) & (nw.col("known") < day)
    marks = known.histories.frame("attendance").filter(of_year & nw.col("code").is_in(list(codes)))
    days = collect(marks.select("pupil_id", "date").unique().group_by("pupil_id").agg(nw.len().alias("days")))
    often = days.filter(pl.col("days") >= max(min(rule.from_day for rule in rules), 1))["pupil_id"]
    return dict.fromkeys(among.intersection(often), september)


def _runs_of(missed: Missed, rule: DeadlineRule | None) -> list[Run]:
    """Return a child's runs as a rule counts them: where it counts all days of a school year, those of each year as one."""
    if rule is None or not rule.cumulative:
        return missed.runs
    days = [(day, run) for run in missed.runs for day in run.days]
    joined = []
    for _, of_year in groupby(days, key=lambda of: school_year(day_of(of[0]))):
        run_of_day = dict(of_year)
        last, run = list(run_of_day.items())[-1]
        goes_on = run.goes_on and run.days[-1] == last
        joined.append(Run(list(run_of_day), goes_on=goes_on, marked_until=run.marked_until))
    return joined


def _begun(
    known: Known, spell: Mapping[str, Any], missed: Missed, kinds: Sequence[str], then: SchoolsThen, *, is_shown: bool
) -> Iterator[Deadline]:
    for kind in kinds:
        before = day_of(missed.marked[0])  # what lies before was not read
        for run in _runs_of(missed, rule_of(known.rules, kind, known.as_of)):
            start, same = day_of(run.days[0]), (before, day_of(run.days[-1]))
            before = same[1] + timedelta(days=1)
            rule = rule_of(known.rules, kind, start)
            # Of an earlier school year, perhaps not all days were read.
            if rule is None or (rule.cumulative and school_year(start) < school_year(known.as_of)):
                continue
            # A run that has reached its day is due, even if another mark ended it since.
            if len(run.days) >= (rule.from_day if run.goes_on and is_shown else max(rule.school_days, 1)):
                end = _day_reached(run, max(rule.school_days, 1), known.days, spell["urn"])
                # The school tells of it whose register it was, wherever the child is now.
                told = run.days[min(len(run.days), max(rule.school_days, 1)) - 1]
                urn = then.on(spell["pupil_id"], told, otherwise=spell["urn"])
                pupil = spell["pupil_id"]
                yield Deadline(pupil_id=pupil, kind=kind, urn=urn, started_on=start, due_on=end, same=same)


def _day_reached(run: Run, n: int, days: SchoolDays, urn: str) -> date:
    """Return the n-th day of a run: of those missed, or else if every school day after the child's newest mark is missed too."""
    if len(run.days) >= n:
        return day_of(run.days[n - 1])
    return days.nth(urn, day_of(run.marked_until) + timedelta(days=1), n - len(run.days))


def _not_reached(
    running: Iterable[Deadline], missed: Mapping[str, Missed], rules: Rules, on_roll: set[str]
) -> Iterator[Deadline]:
    """Yield the duties whose run the register shows to have ended before its day, to have begun earlier, or to be none."""
    for duty in running:
        day, rule = day_number(duty.started_on), rule_of(rules, duty.kind, duty.started_on)
        of_child = missed.get(duty.pupil_id)
        if rule is None or of_child is None or not of_child.is_marked(day):
            continue
        run = replace(of_child, runs=_runs_of(of_child, rule)).run_on(day)
        goes_on = run is not None and run.goes_on and duty.pupil_id in on_roll
        is_whole = run is not None and run.days[0] == day
        if not is_whole or (len(run.days) < rule.school_days and not goes_on):  # type: ignore[union-attr]
            yield duty
