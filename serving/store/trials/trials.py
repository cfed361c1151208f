"""Register, start and read trials. The plan's hash is in the chained audit before anybody is allocated; no function here takes an arm from a person."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl
import sqlalchemy as sa

from histories.calendar import london_day, london_today
from histories.errors import Fault, Faults
from histories.io.quantities import quantity
from serving.store.audit.kept_text import must_name_nobody
from serving.store.cases.casework_tables import StoredAtHome
from serving.store.cases.tables import Case, CaseEntry
from serving.store.ledger.believed import believed
from serving.store.tables import AuditEntry, Pupil
from serving.store.trials.tables import TrialAllocation, TrialException
from serving.store.unit_of_work import BATCH, Change, View

PLANNED, STARTED, ANALYSED = "trial.planned", "trial.started", "trial.analysed"
STOPPED = "trial.stopped"
MAX_REASON = 500  # characters of why a trial was stopped
WHY = ("deadline", "social_worker")


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A trial's entry in the audit.

    Attributes
    ----------
    digest : str
        SHA-256 of the plan's file.
    salt : str
        Drawn by the machine at registration, so that nobody can try seeds until a child falls into an arm.
    definition, horizon_days
        Of the list that the trial begins with.
    members : str
        SHA-256 of who takes part, and in which units.
    units : int
        How many units there are; 0 in a registration before units were counted.
    started : dict or None
        ``day``, ``arms`` (children by arm), ``assessed`` and ``split_homes`` when it started; None if it has not.
    analysed : int
        How often it was analysed.
    judged_by : dict
        SHA-256 of each rule by which the outcome is judged; empty in a registration of before they were kept.
    stopped : dict or None
        ``day`` and ``reason``, if it was stopped before its end.
    """

    name: str
    digest: str
    salt: str
    at: str
    by: str
    definition: str
    horizon_days: int
    members: str
    units: int
    started: dict[str, Any] | None
    analysed: int
    judged_by: dict[str, str] = field(default_factory=dict)
    stopped: dict[str, Any] | None = None

    @property
    def stopped_on(self) -> date | None:
        """The first day on which the trial no longer ran, if it was stopped."""
        return date.fromisoformat(self.stopped["day"]) if self.stopped else None

    @property
    def day(self) -> date:
        """The day of the allocation, from which contact and attendance count; by the clock of the audit for a trial that recorded no day."""
        return _started_on(self.started or {})

    @property
    def never_started(self) -> list[str]:
        """Plans of the authority that were registered before this trial started, and not started by then."""
        return list((self.started or {}).get("never_started", ()))


def _started_on(entry: Mapping[str, Any]) -> date:
    day = entry.get("day")
    return date.fromisoformat(day) if day else london_day(datetime.fromisoformat(entry["at"]))


def registered(view: View, name: str) -> Registered | None:
    """Return a trial's registration, or None. The calling code records the view."""
    planned = [e for e in _entries(view, PLANNED) if e["name"] == name]
    if not planned:
        return None
    started = [e for e in _entries(view, STARTED) if e["name"] == name]
    first = planned[0]
    return Registered(
        name=name,
        digest=first["plan"],
        salt=first["salt"],
        at=first["at"],
        by=first["by"],
        definition=first["definition"],
        horizon_days=first["horizon_days"],
        members=first["members"],
        units=first.get("units", 0),
        judged_by=first.get("judged_by", {}),
        started=started[0] if started else None,
        analysed=sum(e["name"] == name for e in _entries(view, ANALYSED)),
        stopped=next((e for e in _entries(view, STOPPED) if e["name"] == name), None),
    )


def plans(view: View) -> list[dict[str, Any]]:
    """Return the registered plans, oldest first, and how far each is; no child and no arm. The calling code records the view.

    Returns
    -------
    list of dict
        ``name, authority, as_of, children, power, planned_at, started_on`` (None before the start), ``stopped_on`` (None unless it was stopped)
        and ``analysed``.
    """
    kinds = {action: _entries(view, action) for action in (PLANNED, STARTED, STOPPED, ANALYSED)}
    started = {e["name"]: str(_started_on(e)) for e in kinds[STARTED]}
    stopped = {e["name"]: e["day"] for e in kinds[STOPPED]}
    return [
        {
            **{key: e.get(key) for key in ("name", "authority", "as_of", "children", "power")},
            "planned_at": e["at"],
            "started_on": started.get(e["name"]),
            "stopped_on": stopped.get(e["name"]),
            "analysed": sum(a["name"] == e["name"] for a in kinds[ANALYSED]),
        }
        for e in kinds[PLANNED]
    ]


def over(view: View, today: date) -> set[str]:
    """Return the trials that no longer run: analysed, stopped, or past the end of the time in which their outcome counts. The calling code records the view."""
    names = {e["name"] for action in (ANALYSED, STOPPED) for e in _entries(view, action)}
    # A trial that was started before its end was recorded runs until somebody analyses or stops it.
    return names | {e["name"] for e in _entries(view, STARTED) if e.get("ends") and e["ends"] <= str(today)}


def never_started(view: View, name: str) -> list[str]:
    """Return the other plans of a plan's authority that are registered and have not started, oldest first. The calling code records the view."""
    known = plans(view)
    authority = next((p["authority"] for p in known if p["name"] == name), None)
    return [p["name"] for p in known if p["name"] != name and p["authority"] == authority and p["started_on"] is None]


def _entries(view: View, action: str) -> list[dict[str, Any]]:
    found = believed(view.connection, view.chain, AuditEntry.action == action)
    return [{**entry["details"], "at": entry["at"], "by": entry["who"]} for entry in found]


def register(
    change: Change, name: str, digest: str, *, authority: str, as_of: date, pupils: Sequence[str], **details: Any
) -> None:
    """Register a plan under its name.

    Parameters
    ----------
    digest : str
        SHA-256 of the plan's file.
    authority, as_of
        Of the list that the trial begins with.
    pupils : sequence of str
        Who takes part; the audit keeps their references.
    details
        ``definition`` and ``horizon_days`` of the list, ``members``, and what else the audit should hold.

    Raises
    ------
    Faults
        If the name names a child or is taken, whatever the plan, or a child takes part in another plan on the same list, or in a trial that runs: each
        registration draws a new salt, so that whoever could register again could try lots, and help in one trial would count in the other.
    """
    change.chain.lock(change.connection)  # of two processes at once, the second sees the first one's registration
    must_name_nobody({"name": name}, change.connection)
    if registered(change, name):
        do = "A registered plan cannot be changed. Give the new plan another name and a newer list; the audit keeps both."
        raise Faults(Fault("a plan of this name is registered already", f"trial {name}", do))
    again = _planned_again(change, authority, as_of, pupils)
    if again:
        do = "Keep the plan that is registered, or plan on a newer list: a second lot on one list would let somebody choose."
        what = f"a registered plan on the same list has {quantity(again, 'child')} of this plan"
        raise Faults(Fault(what, f"trial {name}", do))
    _must_take_part_in_one(change, name, pupils)
    salt = secrets.token_hex(16)
    place = {"authority": authority, "as_of": str(as_of)}
    change.record(PLANNED, pupils=pupils, name=name, plan=digest, salt=salt, **place, **details)


def _must_take_part_in_one(view: View, name: str, pupils: Iterable[str]) -> None:
    """Raise ``Faults`` if children take part in another trial that runs. The calling code records the view."""
    query = sa.select(TrialAllocation.trial, TrialAllocation.pupil_id).where(TrialAllocation.trial != name)
    ended, wanted = over(view, london_today()), set(pupils)
    running = {pupil for trial, pupil in view.connection.execute(query) if trial not in ended}
    shared = len(running & wanted)
    if shared:
        do = "Wait until that trial has been analysed or its time is over, or stop it; see 'onroll trial status'."
        what = (
            f"{quantity(shared, 'child')} of this plan take part in a trial that runs"
            if shared > 1
            else "a child of this plan takes part in a trial that runs"
        )
        raise Faults(Fault(what, f"trial {name}", do))


def _planned_again(view: View, authority: str, as_of: date, pupils: Sequence[str]) -> int:
    """Return how many children take part in an earlier plan on the same list."""
    taken: set[str] = set()
    for planned in believed(view.connection, view.chain, AuditEntry.action == PLANNED):
        details = planned["details"]
        if (details.get("authority"), details.get("as_of")) == (authority, str(as_of)):
            taken.update(planned["pupils"])
    return len(taken.intersection(view.all_references(pupils))) if taken else 0


def start(change: Change, name: str, rows: Sequence[Mapping[str, Any]], **details: Any) -> None:
    """Store the allocation of a registered trial.

    Parameters
    ----------
    rows : sequence of mapping
        ``pupil_id, unit, arm, authority, risk, as_of`` of each child.
    details
        ``day`` of the allocation, ``ends`` (the day after the last one that counts), ``assessed`` and ``split_homes``, for the audit; it also gets
        the plans that were never started.

    Raises
    ------
    Faults
        If the trial has started already, or a child takes part in another that runs.
    """
    change.chain.lock(change.connection)
    known = registered(change, name)
    if known is None or known.started is not None:
        do = "Register the plan with 'onroll trial plan'; a trial that has started keeps its allocation."
        raise Faults(Fault("the trial is not registered, or has started already", f"trial {name}", do))
    _must_take_part_in_one(change, name, [row["pupil_id"] for row in rows])
    stored = [{**row, "trial": name, "allocated_at": change.now} for row in rows]
    for at in range(0, len(stored), BATCH):
        change.connection.execute(sa.insert(TrialAllocation), stored[at : at + BATCH])
    arms = [str(row["arm"]) for row in rows]
    counts = {arm: arms.count(arm) for arm in sorted(set(arms))}
    before = never_started(change, name)
    pupils = [row["pupil_id"] for row in rows]
    change.record(STARTED, pupils=pupils, name=name, arms=counts, never_started=before, **details)


def stop(change: Change, name: str, reason: str, day: date) -> None:
    """Stop a trial before its end, for good.

    Parameters
    ----------
    reason : str
        Why, in words that name no child: it stays in the audit.
    day : date
        The first day on which it no longer runs.

    Raises
    ------
    Faults
        If the trial does not run, or the reason is empty, too long, or names a child.
    """
    why = reason.strip()
    if not 0 < len(why) <= MAX_REASON:
        do = f"Say in 1 to {MAX_REASON} characters why, without naming a child."
        raise Faults(Fault("there is no reason, or it is too long", f"trial {name}", do))
    must_name_nobody({"--reason": why}, change.connection)
    change.chain.lock(change.connection)  # of two processes at once, the second sees that the first has stopped it
    known = registered(change, name)
    if known is None or known.started is None or name in over(change, day):
        do = "Name a trial that has started, was neither analysed nor stopped, and whose time is not over; see 'onroll trial status'."
        raise Faults(Fault("no trial of this name runs", f"trial {name}", do))
    change.record(STOPPED, name=name, day=str(day), reason=why)


def allocations(view: View, name: str) -> pl.DataFrame:
    """Return the children of a trial: ``pupil_id, unit, arm, authority, risk, as_of``, by identifier. The calling code records the view."""
    names = ("pupil_id", "unit", "arm", "authority", "risk", "as_of")
    query = sa.select(*(getattr(TrialAllocation, n) for n in names)).where(TrialAllocation.trial == name)
    rows = view.connection.execute(query.order_by(TrialAllocation.pupil_id)).all()
    text = dict.fromkeys(names[:4], pl.String)
    return pl.DataFrame(list(map(tuple, rows)), schema={**text, "risk": pl.Float64, "as_of": pl.Date}, orient="row")


def exceptions(view: View, name: str) -> dict[str, set[str]]:
    """Return the children with a safety exception, by reason. The calling code records the view."""
    query = sa.select(TrialException.why, TrialException.pupil_id).where(TrialException.trial == name)
    by_reason: dict[str, set[str]] = {why: set() for why in WHY}
    for why, pupil in view.connection.execute(query):
        by_reason[why].add(pupil)
    return by_reason


def add_exceptions(change: Change, name: str, pupils: Iterable[str], why: str) -> int:
    """Record that children of a trial are helped whatever their arm, and return how many of the children are not in the trial."""
    change.chain.lock(change.connection)
    wanted, members = set(pupils), set(allocations(change, name)["pupil_id"])
    new = sorted((wanted & members) - exceptions(change, name)[why])
    stored = {"trial": name, "why": why, "recorded_at": change.now, "recorded_by": change.caller.key_id}
    for at in range(0, len(new), BATCH):
        change.connection.execute(sa.insert(TrialException), [{**stored, "pupil_id": p} for p in new[at : at + BATCH]])
    change.record("trial.exceptions", pupils=new, name=name, why=why, count=len(new))
    return len(wanted - members)


def homes(view: View) -> dict[str, str]:
    """Return the home of each child who shares one: its first child's identifier. The calling code records the view."""
    rows = view.connection.execute(sa.select(StoredAtHome.home, StoredAtHome.pupil_id)).all()
    first: dict[str, str] = {}
    for home, pupil in rows:
        first[home] = min(first.get(home, pupil), pupil)
    return {pupil: first[home] for home, pupil in rows}


def spoken_to(view: View, name: str, start_day: Any, end_day: Any, no_conversation: Iterable[str]) -> set[str]:
    """Return the children of a trial with whom, or with whose parents, somebody spoke on a day from ``start_day`` until before ``end_day``."""
    query = (
        sa.select(Case.pupil_id)
        .join(CaseEntry, CaseEntry.case_id == Case.case_id)
        .join(TrialAllocation, TrialAllocation.pupil_id == Case.pupil_id)
        .where(TrialAllocation.trial == name, CaseEntry.kind == "contact")
        .where(CaseEntry.on_day >= start_day, CaseEntry.on_day < end_day)
        .where(sa.or_(CaseEntry.code.is_(None), CaseEntry.code.not_in(list(no_conversation))))
    )
    return set(view.connection.scalars(query))


def urns(view: View, pupils: Sequence[str]) -> dict[str, str]:
    """Return the school of each child. The calling code records the view."""
    schools: dict[str, str] = {}
    for at in range(0, len(pupils), BATCH):
        query = sa.select(Pupil.pupil_id, Pupil.urn).where(Pupil.pupil_id.in_(pupils[at : at + BATCH]))
        schools |= {row.pupil_id: row.urn for row in view.connection.execute(query)}
    return schools
