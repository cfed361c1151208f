"""The life of a trial: plan, start, status, analyse; each step is a unit of work with its audit entry."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from features.outcome.cohort import CohortRule
from features.outcome.definition import Definition
from histories.calendar import london_today
from histories.errors import Fault, Faults
from histories.io.atomic_write import new_file
from histories.io.spreadsheet import write_csv
from histories.reading.histories import Histories
from serving.store import Store
from serving.store.audit import audit_log
from serving.store.caller import Caller
from serving.store.database import reading
from serving.store.scores.complete_lists import CompleteList, scores_of
from serving.store.trials import trials
from serving.trials.allocation import arm_of, check_units, units_of
from serving.trials.analysis import Analysis, analyse, check_allocation
from serving.trials.outcomes import of_attendance, of_contacts, of_going_missing
from serving.trials.plan import ARMS, HELP_NOW, Plan
from serving.trials.power import Power, Sample, power_of
from serving.trials.stored_list import in_order, stored_list


@dataclass(frozen=True, kw_only=True)
class Eligible:
    """Who takes part.

    Attributes
    ----------
    of : CompleteList
    rows : polars.DataFrame
        ``pupil_id, unit, authority, risk, as_of, rank, deadline``, by rank.
    assessed : int
        Children of the list.
    split_homes : int
        Homes whose children are in several units.
    """

    of: CompleteList
    rows: pl.DataFrame
    assessed: int
    split_homes: int

    @property
    def digest(self) -> str:
        """SHA-256 of the children with their units: nobody can be added, left out or moved after the registration, when the lot can be foreseen."""
        lines = sorted(f"{pupil}:{unit}" for pupil, unit in self.rows.select("pupil_id", "unit").iter_rows())
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def sample(self) -> Sample:
        """The children as the simulation needs them."""
        unit = self.rows["unit"].rank("dense").to_numpy().astype(int) - 1
        return Sample(unit=unit, risk=self.rows["risk"].to_numpy(), excepted=self.rows["deadline"].to_numpy())


def eligible(store: Store, caller: Caller, plan: Plan) -> Eligible:
    """Return the first children of the plan's list, each with a unit.

    Raises
    ------
    Faults
        If there is no such list, or ``check_units`` refuses its units.
    """
    wanted = plan.of
    with store.view(caller) as view:
        of = stored_list(view, wanted, plan.file)
        scores, homes, due = scores_of(view, [of]), trials.homes(view), trials.with_deadline(view)
        urns = trials.urns(view, scores["pupil_id"].to_list())
        first = in_order(scores, wanted).head(wanted.first)
        pupils = first["pupil_id"].to_list()
        units = units_of(wanted.unit, pupils, urns, homes, view.chain.reference)
        view.record("trial.list_seen", pupils=pupils, name=wanted.name)
    split = check_units(wanted.unit, pupils, units, homes)
    rows = first.select("pupil_id", "authority", "risk", "as_of", "rank").with_columns(
        pl.Series("unit", units, pl.String), pl.Series("deadline", [p in due for p in pupils], pl.Boolean)
    )
    return Eligible(of=of, rows=rows, assessed=len(scores), split_homes=split)


def plan_trial(store: Store, caller: Caller, plan: Plan, *, dry_run: bool = False) -> tuple[Eligible, Power]:
    """Measure a plan's power and register it, if it has the power that it asks for.

    Raises
    ------
    Faults
        See ``eligible``; if the power is too low; if the name, or a child on the same list, is registered already.
    """
    who = eligible(store, caller, plan)
    power = power_of(plan.of, who.sample)
    if power.power.value < plan.of.power:
        do = "Take more children (first), a more common outcome or a longer time. Do not raise the expected effect just to pass."
        what = f"the power is {power.power.value:.0%} over {power.worlds} worlds, and the plan asks for {plan.of.power:.0%}"
        raise Faults(Fault(what, f"{plan.file}, power", do))
    if not dry_run:
        with store.change(caller) as change:
            trials.register(
                change,
                plan.of.name,
                plan.digest,
                authority=plan.of.authority,
                as_of=plan.of.as_of,
                pupils=who.rows["pupil_id"].to_list(),
                power=round(power.power.value, 3),
                size=round(power.size.value, 3),
                children=len(who.rows),
                members=who.digest,
                definition=who.of.definition,
                horizon_days=who.of.horizon_days,
            )
    return who, power


def start_trial(store: Store, caller: Caller, plan: Plan, out: Path, *, today: date | None = None) -> int:
    """Allocate by lot, store it, record the safety exceptions of the day, and write whom to help now.

    The allocation is stored only if the file is written whole.

    Parameters
    ----------
    out : Path
        CSV file of the children to help now: ``pupil_id, rank, why``, where ``why`` is ``help_now`` or the exception. Only its owner can read it.
    today : date, optional
        The day of the allocation; by default the machine's.

    Returns
    -------
    int
        How many children the file has.

    Raises
    ------
    Faults
        If the plan is not registered, or not as it was; if the audit does not verify; if the list is too old; if the trial has started already.
    """
    day = today or london_today()
    known = _registered(store, caller, plan)
    plan.must_start_on(day)
    who = eligible(store, caller, plan)
    if who.digest != known.members:
        what = "the list, who lives or learns together, or the audit's key has changed since the plan was registered"
        raise Faults(Fault(what, f"{plan.file}, as_of", "Plan a new trial on a newer list, under another name."))
    arms = [arm_of(unit, plan.of.seed, known.salt) for unit in who.rows["unit"]]
    rows = who.rows.with_columns(pl.Series("arm", arms))
    stored = rows.select("pupil_id", "unit", "arm", "authority", "risk", "as_of").to_dicts()
    why = pl.when(pl.col("arm") == HELP_NOW).then(pl.lit(HELP_NOW)).otherwise(pl.lit("deadline"))
    helped = rows.filter((pl.col("arm") == HELP_NOW) | pl.col("deadline")).select("pupil_id", "rank", why.alias("why"))
    counts = {"assessed": who.assessed, "split_homes": who.split_homes}
    with new_file(out) as beside, store.change(caller) as change:
        trials.start(change, plan.of.name, stored, day=str(day), **counts)
        trials.add_exceptions(change, plan.of.name, rows.filter("deadline")["pupil_id"].to_list(), "deadline")
        write_csv(beside, helped.columns, helped.rows(), private=True)
    return len(helped)


def status(store: Store, caller: Caller, plan: Plan, asked: Iterable[str] = ()) -> dict[str, Any]:
    """Record new safety exceptions, and count; no outcome by arm, so that nobody peeks.

    Parameters
    ----------
    asked : iterable of str
        Children whom a social worker asks to help now; ``not_in_trial`` counts those who are not in the trial.
    """
    known = _registered(store, caller, plan, started=True)
    name = plan.of.name
    with store.change(caller) as change:
        trials.add_exceptions(change, name, trials.with_deadline(change), "deadline")
        not_in_trial = trials.add_exceptions(change, name, asked, "social_worker")
        members, exceptions = trials.allocations(change, name), trials.exceptions(change, name)
    check_allocation(members, plan.of, known.salt)
    excepted = set().union(*exceptions.values())
    return {
        "name": name,
        "plan": known.digest,
        "registered_at": known.at,
        "started_at": (known.started or {})["at"],
        "analyse_on": str(plan.of.analyse_on),
        "analysed": known.analysed,
        "arms": {
            arm: {
                "children": len(part),
                "units": part["unit"].n_unique(),
                "exceptions": len(excepted & set(part["pupil_id"])),
            }
            for arm in ARMS
            for part in [members.filter(pl.col("arm") == arm)]
        },
        "exceptions": {why: len(pupils) for why, pupils in exceptions.items()},
        "split_homes": (known.started or {})["split_homes"],
        "not_in_trial": not_in_trial,
    }


def analyse_trial(
    store: Store,
    caller: Caller,
    plan: Plan,
    histories: Histories,
    *,
    no_conversation: Iterable[str] = (),
    definitions: Mapping[str, Definition] | None = None,
    rule: CohortRule | None = None,
) -> Analysis:
    """Analyse a trial once its day has come.

    Raises
    ------
    Faults
        Before ``analyse_on`` by the histories' last known day, if the plan, the allocation or the audit was changed, or if outcomes are not known.
    """
    known = _registered(store, caller, plan, started=True)
    _must_be_due(histories.last_known(), plan)
    wanted = plan.of
    with store.view(caller) as view:
        members, exceptions = trials.allocations(view, wanted.name), trials.exceptions(view, wanted.name)
        spoken = trials.spoken_to(view, wanted.name, known.day, plan.end(known.day), no_conversation)
        view.record("trial.seen", pupils=members["pupil_id"].to_list(), name=wanted.name)
    if wanted.outcome == "contact":
        outcome = of_contacts(members, spoken)
    elif wanted.outcome == "attendance":
        outcome = of_attendance(histories, members, known.day, plan.end(known.day))
    else:
        definition = (definitions or {}).get(known.definition) or Definition.load(known.definition)
        outcome = of_going_missing(
            histories, members.select("pupil_id", "as_of", "authority"), definition, known.horizon_days, rule
        )
    analysis = analyse(wanted, known, members, outcome, exceptions)
    store.note(caller, trials.ANALYSED, name=wanted.name, p=round(analysis.p, 4))
    return analysis


def _registered(store: Store, caller: Caller, plan: Plan, *, started: bool = False) -> trials.Registered:
    """Return a plan's registration; raises ``Faults`` if it has none, the file was changed since, or the audit, which holds the salt, does not verify."""
    must_verify(store, plan.file)
    with store.view(caller) as view:
        known = trials.registered(view, plan.of.name)
        view.record("trial.plan_seen", name=plan.of.name)
    if known is None:
        raise Faults(Fault("the plan is not registered", plan.file, f"Run 'onroll trial plan {plan.file}' first."))
    if known.digest != plan.digest:
        do = "Restore the file as it was registered; a trial's plan cannot be changed."
        raise Faults(Fault("the plan was changed since it was registered", plan.file, do))
    if started and known.started is None:
        raise Faults(Fault("the trial has not started", plan.file, f"Run 'onroll trial start {plan.file}' first."))
    return known


def _must_be_due(last: date, plan: Plan) -> None:
    """The stopping rule: one analysis, on a day that was fixed before."""
    if last < plan.of.analyse_on:
        do = "Wait: looking earlier, and again later, finds effects that are not there."
        what = f"the trial is analysed from {plan.of.analyse_on}, and the histories reach {last}"
        raise Faults(Fault(what, f"{plan.file}, analyse_on", do))


def must_verify(store: Store, file: str) -> None:
    """Raise ``Faults`` unless the audit verifies, which holds the hash of the plan in a file and the lot's salt."""
    with reading(store.engine) as connection:
        check = audit_log.verify(connection, store.chain, store.anchors)
    if not check.whole:
        do = "Run 'onroll audit verify': the plan's hash and the lot's salt are in the audit."
        raise Faults(Fault("the audit does not verify", file, do))
