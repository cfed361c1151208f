"""The life of a trial: plan, start, status, analyse; each step is a unit of work with its audit entry."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from histories.calendar import london_today
from histories.errors import Fault, Faults
from histories.io.atomic_write import new_file
from histories.io.spreadsheet import write_csv
from histories.reading.histories import Histories
from serving.store import Store
from serving.store.audit import audit_log
from serving.store.caller import Caller
from serving.store.database import reading
from serving.store.trials import duties, trials
from serving.store.unit_of_work import View
from serving.trials.allocation import drawn_by
from serving.trials.analysis import Analysis, analyse, check_allocation
from serving.trials.eligible import Eligible, eligible, excepted_by
from serving.trials.measurable import must_be_measurable
from serving.trials.outcomes import of_attendance, of_contacts, of_going_missing
from serving.trials.plan import Plan
from serving.trials.power import Power, power_of
from serving.trials.rules import USES, OutcomeRules
from serving.trials.sentences import stopped_of
from serving.trials.starting import DEADLINE, for_the_team
from serving.trials.wedge.analysis import WedgeAnalysis, analyse_wedge
from serving.trials.wedge.lot import step_named


def plan_trial(
    store: Store,
    caller: Caller,
    plan: Plan,
    *,
    rules: OutcomeRules,
    dry_run: bool = False,
    closed: Collection[date] = (),
) -> tuple[Eligible, Power, list[str]]:
    """Measure a plan's power and register it, if it has the power that it asks for.

    Parameters
    ----------
    rules : OutcomeRules
        By which the outcome will be judged: the analysis goes by no others.
    closed : collection of date
        Days on which all of the authority's schools are closed.

    Returns
    -------
    Eligible, Power, list of str
        Who takes part, the power, and the authority's other plans that are registered and have not started.

    Raises
    ------
    Faults
        See ``eligible`` and ``must_be_measurable``; if the power is too low; if the name, or a child on the same list, is registered already.
    """
    who = eligible(store, caller, plan)
    judged_by = rules.digests(who.of.definition, USES[plan.of.outcome], plan.file)
    missing = plan.of.outcome == "missing"
    after = rules.definition(who.of.definition, plan.file).known_after_days if missing else None
    must_be_measurable(plan, who.of, plan.of.as_of, sources=who.sources, closed=closed, known_after=after)
    power = power_of(plan.of, who.sample)
    if power.power.value < plan.of.power:
        do = "Take more children (first), a more common outcome or a longer time. Do not raise the expected effect just to pass."
        what = f"the power is {power.power.value:.0%} over {power.worlds} worlds, and the plan asks for {plan.of.power:.0%}"
        raise Faults(Fault(what, f"{plan.file}, power", do))
    if dry_run:
        return who, power, []
    with store.change(caller) as change:
        trials.register(
            change,
            plan.of.name,
            plan.digest,
            authority=plan.of.authority,
            as_of=plan.of.as_of,
            pupils=who.rows["pupil_id"].to_list(),
            arms=plan.of.arms,
            power=round(power.power.value, 3),
            size=round(power.size.value, 3),
            children=len(who.rows),
            units=who.units,
            share_a_home=who.share_a_home,
            members=who.digest,
            definition=who.of.definition,
            horizon_days=who.of.horizon_days,
            judged_by=judged_by,
        )
    with store.view(caller) as view:
        others = trials.never_started(view, plan.of.name)
        view.record("trial.plan_seen", name=plan.of.name)
    return who, power, others


def start_trial(
    store: Store,
    caller: Caller,
    plan: Plan,
    out: Path,
    *,
    today: date | None = None,
    closed: Collection[date] = (),
) -> int:
    """Allocate by lot, store it, record the safety exceptions of the day, and write what the team needs.

    The allocation is stored only if the file is written whole.

    Parameters
    ----------
    out : Path
        CSV file; see ``serving.trials.starting.for_the_team``. Only its owner can read it.
    today : date, optional
        The day of the allocation; by default the machine's.
    closed : collection of date
        Days on which all of the authority's schools are closed.

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
    who = eligible(store, caller, plan, day)
    must_be_measurable(plan, who.of, day, sources=who.sources, closed=closed)
    if who.digest != known.members:
        what = "the list, who lives or learns together, or the audit's key has changed since the plan was registered"
        raise Faults(Fault(what, f"{plan.file}, as_of", "Plan a new trial on a newer list, under another name."))
    arms = drawn_by(plan.of, who.rows["unit"].to_list(), known.salt, who.units)
    rows = who.rows.with_columns(pl.Series("arm", arms))
    stored = rows.select("pupil_id", "unit", "arm", "authority", "risk", "as_of").to_dicts()
    team = for_the_team(plan, rows, known.salt, day)
    ends = plan.end(day, known.horizon_days)
    counts = {"ends": str(ends), "assessed": who.assessed, "split_homes": who.split_homes}
    with new_file(out) as beside, store.change(caller) as change:
        trials.start(change, plan.of.name, stored, day=str(day), **counts)
        trials.add_exceptions(change, plan.of.name, rows.filter("deadline")["pupil_id"].to_list(), DEADLINE)
        write_csv(beside, team.columns, team.rows())
    return len(team)


def status(
    store: Store, caller: Caller, plan: Plan, asked: Iterable[str] = (), *, today: date | None = None
) -> dict[str, Any]:
    """Record new safety exceptions while the trial runs, and count; no outcome by arm, so that nobody peeks.

    A child who is helped after the end of a trial is no exception of it. Of duties only those that began before the end are exceptions.

    Parameters
    ----------
    asked : iterable of str
        Children whom a social worker asks to help now; ``not_in_trial`` counts those who are not in the trial. None of them is recorded once
        it has ended.
    today : date, optional
        By default the machine's.
    """
    known = _registered(store, caller, plan, started=True)
    name, day, not_in_trial = plan.of.name, today or london_today(), 0
    ends = _ends(plan, known)
    with store.change(caller) as change:
        due = excepted_by(plan.of, duties.due(change, before=ends), min(day, ends))
        trials.add_exceptions(change, name, due, DEADLINE)
        if day < ends:
            not_in_trial = trials.add_exceptions(change, name, asked, "social_worker")
        members, exceptions = trials.allocations(change, name), trials.exceptions(change, name)
    check_allocation(members, plan.of, known)
    excepted = set().union(*exceptions.values())
    return {
        "name": name,
        "plan": known.digest,
        "registered_at": known.at,
        "started_at": (known.started or {})["at"],
        "analyse_on": str(plan.of.analyse_on),
        "ends": str(ends),
        "ended": day >= ends,
        "stopped": stopped_of(known),
        "analysed": known.analysed,
        "arms": {
            arm: {
                "children": len(part),
                "units": part["unit"].n_unique(),
                "exceptions": len(excepted & set(part["pupil_id"])),
                **_begins(plan, known, arm),
            }
            for arm in plan.of.arm_names
            for part in [members.filter(pl.col("arm") == arm)]
        },
        "exceptions": {why: len(pupils) for why, pupils in exceptions.items()},
        "split_homes": (known.started or {})["split_homes"],
        "never_started": known.never_started,
        "not_in_trial": not_in_trial,
    }


def _begins(plan: Plan, known: trials.Registered, arm: str) -> dict[str, str]:
    return {"begins_on": str(plan.begins_on(known.day, step_named(arm)))} if plan.of.arms == "wedge" else {}


def analyse_trial(
    store: Store,
    caller: Caller,
    plan: Plan,
    histories: Histories,
    *,
    rules: OutcomeRules,
) -> Analysis | WedgeAnalysis:
    """Analyse a trial once its day has come.

    Raises
    ------
    Faults
        Before ``analyse_on`` by the histories' last known day, if the plan, its rules, the allocation or the audit was changed, or if outcomes are not known.
    """
    known = _registered(store, caller, plan, started=True)
    _must_be_due(histories.last_known(), plan)
    rules.must_be(known.judged_by, known.definition, plan.file)
    wanted, windows = plan.of, plan.windows(known.day, known.horizon_days, known.stopped_on)
    _must_have_run(plan, windows)
    with store.view(caller) as view:
        members, exceptions = trials.allocations(view, wanted.name), trials.exceptions(view, wanted.name)
        exceptions[DEADLINE] |= _had_a_duty(view, plan, known)
        spoken = [trials.spoken_to(view, wanted.name, *window, rules.no_conversation) for window in windows]
        view.record("trial.seen", pupils=members["pupil_id"].to_list(), name=wanted.name)
    if wanted.outcome == "contact":
        outcomes = [of_contacts(members, pupils) for pupils in spoken]
    elif wanted.outcome == "attendance":
        outcomes = [of_attendance(histories, members, begin, end) for begin, end in windows]
    else:
        definition = rules.definition(known.definition, plan.file)
        children = members.select("pupil_id", "as_of", "authority")
        outcomes = [of_going_missing(histories, children, definition, known.horizon_days, rules.cohort)]
    analysis: Analysis | WedgeAnalysis
    if wanted.arms == "wedge":
        analysis = analyse_wedge(wanted, known, members, outcomes, exceptions)
    else:
        analysis = analyse(wanted, known, members, outcomes[0], exceptions)
    store.note(caller, trials.ANALYSED, name=wanted.name, p=round(analysis.p, 4))
    return analysis


def _had_a_duty(view: View, plan: Plan, known: trials.Registered) -> set[str]:
    """Return the children whom a duty excepted at some time of the trial, whatever ``status`` saw: one can begin and be met between two looks."""
    ran = duties.ran(view, plan.of.name, known.day, _ends(plan, known))
    return {pupil for pupil, due_on, last in ran if excepted_by(plan.of, {pupil: due_on}, last)}


def _ends(plan: Plan, known: trials.Registered) -> date:
    """Return the day from which nobody is an exception any more: the end, or when the trial was stopped."""
    return min(plan.end(known.day, known.horizon_days), known.stopped_on or date.max)


def stop_trial(store: Store, caller: Caller, name: str, reason: str, *, today: date | None = None) -> date:
    """Stop a trial before its end, and return the first day on which it no longer runs; see ``serving.store.trials.trials.stop``."""
    day = today or london_today()
    must_verify(store, f"trial {name}")
    with store.change(caller) as change:
        trials.stop(change, name, reason, day)
    return day


def _must_have_run(plan: Plan, windows: list[tuple[date, date]]) -> None:
    """Raise ``Faults`` if the trial was stopped before there was anything to compare."""
    if len(windows) < (2 if plan.of.arms == "wedge" else 1) or any(begin >= end for begin, end in windows):
        do = "There is no analysis of such a trial; the audit has its registration, its start and why it was stopped."
        raise Faults(Fault("the trial was stopped before there was anything to compare", plan.file, do))


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
