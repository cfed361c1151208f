"""Statutory duties with a due date, started and stopped by the histories; the authority's settings say how long each runs.

What the histories cannot show, such as a transfer file sent, a person marks as done on the page. A duty runs until records show
that it is done or never arose: that a record has grown old, or that a child no longer stands in the histories, shows neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl
import pyarrow as pa

from histories.calendar import day_number, day_of
from histories.reading.as_of import visible
from histories.reading.frames import collect
from histories.reading.histories import Histories
from serving.casework.absence_duties import RUNS, of_absence
from serving.casework.duty import Deadline, Duties, Known, Rules, rule_of
from serving.casework.no_roll import NOWHERE
from serving.casework.rolls import followed, spells_by_pupil
from serving.casework.school_days import SchoolDays
from serving.casework.year_groups import returns_at_transition

ENDED = ("deceased", "over_age", "home_education", "custody", "abroad")  # no receiving school needs a transfer file
FILE_REACH = 60  # days after leaving for which a transfer file begins to be due


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
    duties, by_runs = _of_leavers(known, of_leavers), of_absence(known, of_runs)
    turned_off = [d for d in kept if rule_of(rules, d.kind, d.started_on) is None]
    return Duties(due=[*duties.due, *by_runs.due], over=[*duties.over, *by_runs.over, *turned_off])


def _of_leavers(known: Known, running: Sequence[Deadline]) -> Duties:
    as_of = known.as_of
    watched = {*followed(known.spells, as_of)["pupil_id"], *(d.pupil_id for d in running)}
    spells = known.spells.filter(pl.col("pupil_id").is_in(list(watched)))
    leavers = spells.filter(pl.col("leaving_date").is_not_null() & ~pl.col("on_roll"))
    opened, standard = _cases(known.histories, leavers, as_of), returns_at_transition(known, leavers)
    due = []
    entered = {pupil: day_of(day) for pupil, day in leavers.select("pupil_id", "entry_date").iter_rows()}
    for pupil, kind, urn, start in _begun_by_leaving(leavers, opened, as_of):
        rule = rule_of(known.rules, kind, start)
        if rule and (rule.at_transition or kind not in standard.get(pupil, ())):
            end = known.days.nth(urn, start, rule.school_days) if rule.school_days else start
            same = (entered[pupil], as_of)
            due.append(Deadline(pupil_id=pupil, kind=kind, urn=urn, started_on=start, due_on=end, same=same))
    still = {(d.pupil_id, d.kind, d.started_on) for d in due}
    gone = [d for d in running if (d.pupil_id, d.kind, d.started_on) not in still]
    last = spells_by_pupil(spells, (d.pupil_id for d in gone))
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
