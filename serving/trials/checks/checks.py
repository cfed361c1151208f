"""The life of a plan of random checks: draw, list, estimate; each step is a unit of work with its audit entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from features.outcome.known_until import newest_known
from histories.calendar import london_today
from histories.errors import Fault, Faults
from histories.io.atomic_write import new_file
from histories.io.spreadsheet import write_csv
from histories.reading.histories import Histories
from serving.pages.settings import PageSettings
from serving.store import Store
from serving.store.caller import Caller
from serving.store.scores.complete_lists import complete_lists, scores_of
from serving.store.trials import checks, duties, trials
from serving.store.unit_of_work import View
from serving.trials.checks.drawing import Frame, band_of, check_drawn, drawn_numbers, frame_of, must_be_enough
from serving.trials.checks.estimate import Estimate, Found, found_of
from serving.trials.checks.plan import Checks
from serving.trials.outcomes import of_going_missing
from serving.trials.rules import OF_CHECKS, OutcomeRules
from serving.trials.stored_list import in_order, stored_list
from serving.trials.trial import must_verify

MEMBER = ("pupil_id", "as_of", "authority")
WHY = "random_check"
NOTE = "drawn by lot, not by the score: nothing is suspected; look as you would at any child, and record what you find"


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What a draw did.

    Attributes
    ----------
    frame : Frame
    children : int
        How many children the file has; 0 after a dry run.
    """

    frame: Frame
    children: int


def draw_checks(
    store: Store,
    caller: Caller,
    plan: Checks,
    *,
    pages: PageSettings,
    rules: OutcomeRules,
    out: Path | None,
    today: date | None = None,
) -> Drawn:
    """Register a plan, draw by lot, store whom it drew, and write them to a file; without a file only look who could be drawn.

    The registration is committed before the lot is drawn: whoever stops the command in between gets the same children from the next one.

    Parameters
    ----------
    pages : PageSettings
        The lists from which workers choose.
    rules : OutcomeRules
        By which outcomes will be judged: the estimate goes by no others.
    out : Path or None
        CSV file; see ``write_list``.
    today : date, optional
        The day of the draw; by default the machine's.

    Raises
    ------
    Faults
        If the plan names an unknown code or is no longer as registered, the list is too old or has a plan of checks already, or the lot was drawn already.
    """
    day = today or london_today()
    plan.must_use_codes_of(pages)
    plan.must_be_drawn_on(day)
    frame = _frame(store, caller, plan, day)
    must_be_enough(plan, frame.sizes)
    judged_by = rules.digests(frame.of.definition, OF_CHECKS, plan.file)
    if out is None:
        return Drawn(frame=frame, children=0)
    known = _register(store, caller, plan, frame, judged_by)
    if known.members != frame.digest:
        what = "the list, who is looked at anyway, or the audit's key has changed since the plan was registered"
        raise Faults(Fault(what, f"{plan.file}, as_of", "Make a new plan on a newer list, under another name."))
    rows = _lot(plan, known, frame)
    until = day + timedelta(weeks=plan.of.weeks)
    with new_file(out) as beside, store.change(caller) as change:
        checks.store_drawn(change, plan.of.name, rows.to_dicts(), day=day, until=until)
        _write(change, rows["pupil_id"].to_list(), beside)
    return Drawn(frame=frame, children=len(rows))


def _frame(store: Store, caller: Caller, plan: Checks, day: date) -> Frame:
    with store.view(caller) as view:
        of = stored_list(view, plan.of, plan.file)
        scores = scores_of(view, [of])
        frame = frame_of(
            plan.of,
            of,
            scores,
            looked_at={"deadline": duties.due(view), **checks.looked_at(view, day)},
            homes=trials.homes(view),
            reference=view.chain.reference,
        )
        view.record("trial.list_seen", pupils=scores["pupil_id"].to_list(), name=plan.of.name)
    return frame


def _register(
    store: Store, caller: Caller, plan: Checks, frame: Frame, judged_by: dict[str, str]
) -> checks.RegisteredChecks:
    """Return the plan's registration; it is made unless it is there from a command that was stopped before the draw."""
    must_verify(store, plan.file)
    with store.view(caller) as view:
        known = checks.registered(view, plan.of.name)
        view.record("trial.plan_seen", name=plan.of.name)
    if known is None:
        with store.change(caller) as change:
            checks.register(
                change,
                plan.of.name,
                plan.digest,
                authority=plan.of.authority,
                as_of=plan.of.as_of,
                pupils=frame.rows["pupil_id"].to_list(),
                definition=frame.of.definition,
                horizon_days=frame.of.horizon_days,
                judged_by=judged_by,
                model_version=frame.of.model_version,
                members=frame.digest,
                sizes=frame.sizes,
                excluded=frame.excluded,
                checks=list(plan.of.checks),
                cut=plan.of.cut,
            )
    return _registered(store, caller, plan)


def _lot(plan: Checks, known: checks.RegisteredChecks, frame: Frame) -> pl.DataFrame:
    parts = []
    for band, (size, wanted) in enumerate(zip(known.sizes, plan.of.checks, strict=True)):
        numbers = drawn_numbers(plan.of.seed, known.salt, band=band, size=size, checks=wanted)
        of_band = frame.rows.filter((pl.col("band") == band) & pl.col("number").is_in(list(numbers)))
        parts.append(of_band.with_columns(chance=pl.lit(wanted / size)))
    return pl.concat(parts)


def write_list(store: Store, caller: Caller, plan: Checks, out: Path) -> int:
    """Write the drawn children again, and return how many they are; nobody else is drawn.

    Parameters
    ----------
    out : Path
        CSV file that only its owner can read, by school and home: ``pupil_id, urn, home, why, note``; children of one home have the same
        number. It has no risk, no rank and no band.
    """
    known = _registered(store, caller, plan, drawn=True)
    with new_file(out) as beside, store.change(caller) as change:
        drawn = checks.drawn(change, plan.of.name)
        strangers = checks.not_drawn(change, plan.of.name, drawn["pupil_id"])
        check_drawn(plan.of, known.salt, known.sizes, drawn, strangers)
        change.record("trial.checks_listed", pupils=drawn["pupil_id"].to_list(), name=plan.of.name)
        _write(change, drawn["pupil_id"].to_list(), beside)
    return len(drawn)


def _write(view: View, pupils: list[str], out: Path) -> None:
    urns, homes = trials.urns(view, pupils), trials.homes(view)
    at = sorted(pupils, key=lambda p: (urns.get(p, ""), homes.get(p, p), p))
    number = {home: n for n, home in enumerate(dict.fromkeys(homes.get(p, p) for p in at), 1)}
    rows = [(p, urns.get(p, ""), number[homes.get(p, p)], WHY, NOTE) for p in at]
    write_csv(out, ("pupil_id", "urn", "home", "why", "note"), rows)


def estimate_checks(
    store: Store,
    caller: Caller,
    plan: Checks,
    histories: Histories,
    *,
    rules: OutcomeRules,
) -> Estimate:
    """Estimate missed need below the cut, once its day has come.

    Raises
    ------
    Faults
        Before ``estimate_on`` by the histories' last known day, or if the plan, its rules, the draw or the audit was changed.
    """
    known = _registered(store, caller, plan, drawn=True)
    _must_be_due(histories.last_known(), plan)
    rules.must_be(known.judged_by, known.definition, plan.file)
    with store.view(caller) as view:
        drawn = checks.drawn(view, plan.of.name)
        undrawn = _not_drawn(view, plan, known, set(drawn["pupil_id"]))
        found = checks.findings(
            view,
            plan.of.name,
            first=known.day,
            until=known.day + timedelta(weeks=plan.of.weeks),
            no_conversation=rules.no_conversation,
            needed=plan.of.needed,
        )
        strangers = checks.not_drawn(view, plan.of.name, drawn["pupil_id"])
        view.record("trial.checks_seen", pupils=drawn["pupil_id"].to_list(), name=plan.of.name)
    check_drawn(plan.of, known.salt, known.sizes, drawn, strangers)
    definition = rules.definition(known.definition, plan.file)
    newest = newest_known(histories, definition, known.horizon_days).of(plan.of.authority)
    went: Found | None = None
    recorded: Found | None = None
    members = pl.concat([drawn, drawn.clear() if undrawn is None else undrawn])
    if plan.of.as_of <= newest and len(members):
        rows = of_going_missing(histories, members.select(*MEMBER), definition, known.horizon_days, rules.cohort)
        missing = {p: bool(v) for p, v in rows.select("pupil_id", "value").iter_rows() if v is not None}
        went = found_of("went_missing", known, drawn, missing)
        recorded = None if undrawn is None else found_of("went_missing", known, undrawn, missing)
    store.note(caller, checks.ESTIMATED, name=plan.of.name)
    return Estimate(
        plan=plan.of,
        registered=known,
        needed_help=found_of("needed_help", known, drawn, found),
        went_missing=went,
        known_from="" if went else f"not known yet; outcomes are known for lists up to {newest}",
        recorded=recorded,
        erased=sum((known.drawn or {})["children"]) - len(drawn),
    )


def _not_drawn(view: View, plan: Checks, known: checks.RegisteredChecks, drawn: set[str]) -> pl.DataFrame | None:
    """Return the children whom the lot could draw and did not, with the columns of ``checks.drawn``; the list is as it is now.

    Others below the cut are looked at because more often something is the matter with them: they are not like those drawn.
    None if retention has removed the list, or the plan was registered before the audit named who could be drawn and some could not be.
    """
    place = (plan.of.authority, plan.of.as_of, known.model_version)
    lists = [x for x in complete_lists(view) if (x.authority, x.as_of, x.model_version) == place]
    below = in_order(scores_of(view, lists), plan.of).slice(plan.of.cut)
    pupils = below["pupil_id"].to_list()
    view.record("trial.list_seen", pupils=pupils, name=plan.of.name)
    frame = checks.could_be_drawn(view, plan.of.name, pupils)
    if frame is None and not any(known.excluded.values()):
        frame = set(pupils)
    if frame is None or not pupils:
        return None
    bands = [band_of(plan.of, at) for at in range(plan.of.cut + 1, plan.of.cut + len(pupils) + 1)]
    rows = below.select("pupil_id", "authority", "as_of", band=pl.Series(bands), number=pl.lit(None, pl.Int64))
    return rows.filter(pl.col("pupil_id").is_in(list(frame - drawn))).cast(pl.Schema(checks.SCHEMA))


def _must_be_due(last: date, plan: Checks) -> None:
    if last < plan.of.estimate_on:
        what = f"the checks are estimated from {plan.of.estimate_on}, and the histories reach {last}"
        do = "Wait: an estimate made early, and again later, is not the planned one."
        raise Faults(Fault(what, f"{plan.file}, estimate_on", do))


def _registered(store: Store, caller: Caller, plan: Checks, *, drawn: bool = False) -> checks.RegisteredChecks:
    """Return a plan's registration; raises ``Faults`` if it has none, the file was changed since, or the audit, which holds the salt, does not verify."""
    must_verify(store, plan.file)
    with store.view(caller) as view:
        known = checks.registered(view, plan.of.name)
        view.record("trial.plan_seen", name=plan.of.name)
    if known is None or (drawn and known.drawn is None):
        do = f"Run 'onroll trial checks draw {plan.file}' first."
        raise Faults(Fault("nobody was drawn by this plan", plan.file, do))
    if known.digest != plan.digest:
        do = "Restore the file as it was registered; a plan cannot be changed."
        raise Faults(Fault("the plan was changed since it was registered", plan.file, do))
    return known
