"""Statutory duties with a due date, started and stopped by the histories; the authority's settings say how long each runs.

What the histories cannot show, such as a transfer file sent, a person marks as done on the page. A duty runs until records show
that it is done or never arose: that a record has grown old, or that a child no longer stands in the histories, shows neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl
import pyarrow as pa

from features.attendance.register import MEASURES
from histories.calendar import day_number, day_of
from histories.reading.as_of import visible
from histories.reading.frames import collect
from histories.reading.histories import Histories
from serving.casework import runs
from serving.casework.no_roll import NOWHERE
from serving.casework.rolls import SchoolsThen, followed, schools_then
from serving.casework.runs import Missed, Run
from serving.casework.school_days import SchoolDays

ENDED = ("deceased", "over_age", "home_education", "custody", "abroad")  # no receiving school needs a transfer file
FILE_REACH = 60  # days after leaving for which a transfer file begins to be due
RUNS = {"unauthorised_10": "unauthorised", "unauthorised_20": "unauthorised", "sickness_15": "ill"}
CODES = {"unauthorised": MEASURES["unauthorised"], "ill": MEASURES["ill"][:1]}


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
    """

    school_days: int
    from_day: int = 0
    since: date = date.min


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


def find_deadlines(
    histories: Histories,
    spells: pl.DataFrame,
    as_of: date,
    days: SchoolDays,
    rules: Rules,
    running: Iterable[Deadline] = (),
) -> Duties:
    """Return every duty that runs as of a day, and those of the running ones that are over.

    Parameters
    ----------
    histories : Histories
    spells : polars.DataFrame
        See ``rolls.newest_spells``.
    as_of : date
    days : SchoolDays
    rules : mapping
        By kind; duties without a rule on the day they begin are skipped.
    running : iterable of Deadline
        Those that the histories began on earlier days and nobody has stopped.
    """
    kept = list(running)
    of_runs = [d for d in kept if d.kind in RUNS]
    of_leavers = [d for d in kept if d.kind not in RUNS]
    known = Known(histories=histories, spells=spells, as_of=as_of, days=days, rules=rules)
    duties, by_runs = _of_leavers(known, of_leavers), _of_runs(known, of_runs)
    turned_off = [d for d in kept if rule_of(rules, d.kind, d.started_on) is None]
    return Duties(due=[*duties.due, *by_runs.due], over=[*duties.over, *by_runs.over, *turned_off])


def _of_leavers(known: Known, running: Sequence[Deadline]) -> Duties:
    as_of = known.as_of
    watched = {*followed(known.spells, as_of)["pupil_id"], *(d.pupil_id for d in running)}
    spells = known.spells.filter(pl.col("pupil_id").is_in(list(watched)))
    leavers = spells.filter(pl.col("leaving_date").is_not_null() & ~pl.col("on_roll"))
    opened = _cases(known.histories, leavers, as_of)
    due = []
    entered = {pupil: day_of(day) for pupil, day in leavers.select("pupil_id", "entry_date").iter_rows()}
    for pupil, kind, urn, start in _begun_by_leaving(leavers, opened, as_of):
        if rule := rule_of(known.rules, kind, start):
            end = known.days.nth(urn, start, rule.school_days) if rule.school_days else start
            same = (entered[pupil], as_of)
            due.append(Deadline(pupil_id=pupil, kind=kind, urn=urn, started_on=start, due_on=end, same=same))
    still = {(d.pupil_id, d.kind, d.started_on) for d in due}
    gone = [d for d in running if (d.pupil_id, d.kind, d.started_on) not in still]
    last = _by_pupil(spells, (d.pupil_id for d in gone))
    return Duties(due=due, over=[d for d in gone if d.pupil_id in last and _is_over(d, last[d.pupil_id], as_of)])


def _begun_by_leaving(
    leavers: pl.DataFrame, opened: Mapping[str, int], as_of: date
) -> Iterator[tuple[str, str, str, date]]:
    for r in leavers.iter_rows(named=True):
        pupil, urn, gone = r["pupil_id"], r["urn"], day_of(r["leaving_date"])
        after, where = gone + timedelta(days=1), r["destination"]
        if r["leaving_date"] >= r["age_ends"]:
            continue
        of_age = max(after, day_of(r["age_begins"]))  # before, nobody has to be at school
        if r["leaving_ground"] is None:
            yield pupil, "deletion_return", urn, gone
        if where in NOWHERE and of_age <= as_of:
            yield pupil, "destination", urn, of_age
        if where not in ENDED and (as_of - gone).days <= FILE_REACH:
            yield pupil, "transfer_file", urn, after
        if where == "state_school" and r["destination_urn"]:
            yield pupil, "new_pupil_return", r["destination_urn"], after
        is_lost = where in NOWHERE and opened.get(pupil, -1) < r["leaving_date"]
        if is_lost and of_age <= as_of:
            yield pupil, "case_not_opened", urn, of_age
        if where in NOWHERE and r["left_from"] and of_age <= as_of:
            yield pupil, "home_not_told", urn, of_age


def _is_over(duty: Deadline, spell: Mapping[str, Any], as_of: date) -> bool:
    """Return whether the child's last spell shows that a duty is over which it no longer begins.

    A new roll, a ground, a destination or a case shows it. That a file was sent, no record shows: once that is late, only a child
    who never left so, or who needs no file, ends it.
    """
    if duty.kind != "transfer_file":
        return True
    of_this_spell = day_number(duty.started_on) > spell["entry_date"]
    if spell["on_roll"] or not of_this_spell:
        return of_this_spell or duty.due_on >= as_of
    another_day = duty.started_on != day_of(spell["leaving_date"]) + timedelta(days=1)
    return another_day or spell["destination"] in ENDED


def _by_pupil(spells: pl.DataFrame, pupils: Iterable[str]) -> dict[str, dict[str, Any]]:
    return {r["pupil_id"]: r for r in spells.filter(pl.col("pupil_id").is_in(list(pupils))).iter_rows(named=True)}


def _cases(histories: Histories, leavers: pl.DataFrame, as_of: date) -> dict[str, int]:
    """Return of each child the day until which a case looked for the child: of an open case the as-of date, of others that of the report.

    A case is often reported while the child is still on the roll. While it is open, somebody looks for the child.
    """
    if "cme" not in histories.present or leavers.is_empty():
        return {}
    day = day_number(as_of)
    keys = pa.table({"pupil_id": leavers["pupil_id"].to_arrow(), "as_of": pa.array([day] * len(leavers), pa.int32())})
    rows = collect(visible(histories, "cme", histories.given(keys)))
    looked = pl.when(pl.col("resolved_on").is_null()).then(day).otherwise("reported_on")
    return dict(rows.group_by("pupil_id").agg(looked.max()).iter_rows())


def _of_runs(known: Known, running: Sequence[Deadline]) -> Duties:
    """Return the duties of runs of completely missed school days: current runs, and those that reached their day."""
    shown = set(followed(known.spells, known.as_of).filter("on_roll")["pupil_id"])
    active_since = known.days.back(known.as_of, runs.ACTIVE)
    duties = Duties()
    for what, codes in CODES.items():
        kept = [d for d in running if RUNS[d.kind] == what]
        also: dict[str, date] = {}
        for duty in kept:
            also[duty.pupil_id] = min(duty.started_on, also.get(duty.pupil_id, duty.started_on))
        kinds = [kind for kind, of in RUNS.items() if of == what]
        first_days = [rule.from_day for kind in kinds for rule in known.rules.get(kind, ()) if rule.school_days >= 0]
        missed = runs.find_missed(
            known.histories,
            codes,
            known.as_of,
            active_since=active_since,
            min_days=max(min(first_days, default=1), 1),
            also=also,
        )
        last = _by_pupil(known.spells, shown.union(also).intersection(missed))
        moved = [p for p in last if missed[p].runs and missed[p].runs[0].days[0] < last[p]["entry_date"]]
        then = schools_then(known.histories, moved, known.as_of)
        for pupil, of_child in missed.items():
            if pupil in last:
                begun = _begun_by_runs(known, last[pupil], of_child, kinds, then, is_shown=pupil in shown)
                duties.due.extend(begun)
        duties.over.extend(_not_reached(kept, missed, known.rules, shown))
    return duties


def _begun_by_runs(
    known: Known, spell: Mapping[str, Any], missed: Missed, kinds: Sequence[str], then: SchoolsThen, *, is_shown: bool
) -> Iterator[Deadline]:
    before = day_of(missed.marked[0])  # what lies before was not read
    for run in missed.runs:
        start, same = day_of(run.days[0]), (before, day_of(run.days[-1]))
        before = same[1] + timedelta(days=1)
        for kind in kinds:
            rule = rule_of(known.rules, kind, start)
            if rule is None:
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
        run = of_child.run_on(day)
        goes_on = run is not None and run.goes_on and duty.pupil_id in on_roll
        is_whole = run is not None and run.days[0] == day
        if not is_whole or (len(run.days) < rule.school_days and not goes_on):  # type: ignore[union-attr]
            yield duty
