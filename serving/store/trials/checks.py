"""Random checks in the store: registered plans and draws (in the audit), drawn children, and what workers found; no function here takes a child's name to draw it."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl
import sqlalchemy as sa

from histories.calendar import london_day
from histories.errors import Fault, Faults
from serving.store.audit.kept_text import must_name_nobody
from serving.store.cases.tables import Case, CaseEntry
from serving.store.ledger.believed import believed
from serving.store.tables import AuditEntry, Pupil
from serving.store.trials.tables import RandomCheck, TrialAllocation
from serving.store.trials.trials import over
from serving.store.unit_of_work import BATCH, Change, View

PLANNED, DRAWN, ESTIMATED = "trial.checks_planned", "trial.checks_drawn", "trial.checks_estimated"
SCHEMA = {"pupil_id": pl.String, "authority": pl.String, "as_of": pl.Date, "band": pl.Int64, "number": pl.Int64}


@dataclass(frozen=True, kw_only=True)
class RegisteredChecks:
    """A plan of checks in the audit.

    Attributes
    ----------
    digest : str
        SHA-256 of the plan's file.
    salt : str
        Drawn by the machine at registration, so that nobody can try seeds until a child is drawn.
    definition, horizon_days, model_version
        Of the list.
    members : str
        SHA-256 of the children of each band with their numbers.
    sizes : list of int
        Children of each band.
    excluded : dict
        Children below the cut who are in no band, by reason.
    judged_by : dict
        SHA-256 of each rule by which outcomes are judged; empty in a registration of before they were kept.
    drawn : dict or None
        ``day`` and ``children`` by band when the lot was drawn; None if it has not been.
    estimated : int
        How often an estimate was made.
    """

    name: str
    digest: str
    salt: str
    at: str
    definition: str
    horizon_days: int
    model_version: str
    members: str
    sizes: list[int]
    excluded: dict[str, int]
    drawn: dict[str, Any] | None
    estimated: int
    judged_by: dict[str, str] = field(default_factory=dict)

    @property
    def day(self) -> date:
        """The day of the draw."""
        return date.fromisoformat((self.drawn or {})["day"])


def registered(view: View, name: str) -> RegisteredChecks | None:
    """Return the registration of a plan of checks, or None. The calling code records the view."""
    planned = [e for e in _entries(view, PLANNED) if e["name"] == name]
    if not planned:
        return None
    first = planned[0]
    copied = ("at", "salt", "definition", "horizon_days", "model_version", "members", "sizes", "excluded")
    return RegisteredChecks(
        name=name,
        digest=first["plan"],
        drawn=next((e for e in _entries(view, DRAWN) if e["name"] == name), None),
        estimated=sum(e["name"] == name for e in _entries(view, ESTIMATED)),
        judged_by=first.get("judged_by", {}),
        **{key: first[key] for key in copied},
    )


def _entries(view: View, action: str) -> list[dict[str, Any]]:
    found = believed(view.connection, view.chain, AuditEntry.action == action)
    return [{**entry["details"], "at": entry["at"]} for entry in found]


def register(
    change: Change, name: str, digest: str, *, authority: str, as_of: date, pupils: Iterable[str], **details: Any
) -> None:
    """Register a plan of checks under its name.

    Parameters
    ----------
    digest : str
        SHA-256 of the plan's file.
    authority, as_of
        Of the list.
    pupils : iterable of str
        Who can be drawn; the audit keeps their references, so that those not drawn can be told from those who could not be.
    details
        The other attributes of ``RegisteredChecks`` that are known by now.

    Raises
    ------
    Faults
        If the name names a child or is taken, or the list has a plan of checks already: whoever could register again could try lots.
    """
    change.chain.lock(change.connection)  # of two processes at once, the second sees the first one's registration
    must_name_nobody({"name": name}, change.connection)
    place = {"authority": authority, "as_of": str(as_of)}
    faults = []
    for entry in _entries(change, PLANNED):
        if entry["name"] == name:
            do = "A registered plan cannot be changed: give the new one another name, and a newer list."
            faults.append(Fault("a plan of this name is registered already", f"checks {name}", do))
        elif {key: entry[key] for key in place} == place:
            do = "Keep that plan, or draw from a newer list: a second lot on one list would let somebody choose."
            faults.append(Fault("this list has a plan of checks already", f"checks {name}", do))
    if faults:
        raise Faults(faults)
    change.record(PLANNED, pupils=pupils, name=name, plan=digest, salt=secrets.token_hex(16), **place, **details)


def store_drawn(change: Change, name: str, rows: Sequence[Mapping[str, Any]], *, day: date, until: date) -> None:
    """Store the children whom the lot drew.

    Parameters
    ----------
    rows : sequence of mapping
        ``pupil_id, authority, as_of, band, number, chance`` of each child.
    day, until
        The day of the draw, and the day after the last one on which what a worker records counts.

    Raises
    ------
    Faults
        If the plan is not registered, or was drawn already.
    """
    change.chain.lock(change.connection)
    known = registered(change, name)
    if known is None or known.drawn is not None:
        do = "Draw with 'onroll trial checks draw'; 'onroll trial checks list' writes the children again."
        raise Faults(Fault("the plan is not registered, or the lot was drawn already", f"checks {name}", do))
    stamp = {"plan": name, "drawn_on": day, "until": until, "drawn_at": change.now}
    stored = [{**row, **stamp} for row in rows]
    for at in range(0, len(stored), BATCH):
        change.connection.execute(sa.insert(RandomCheck), stored[at : at + BATCH])
    bands = [int(row["band"]) for row in rows]
    counts = [bands.count(band) for band in range(len(known.sizes))]
    change.record(DRAWN, pupils=[row["pupil_id"] for row in rows], name=name, day=str(day), children=counts)


def drawn(view: View, name: str) -> pl.DataFrame:
    """Return the drawn children who have not been erased, with the columns of ``SCHEMA``. The calling code records the view."""
    query = sa.select(*(getattr(RandomCheck, n) for n in SCHEMA)).where(RandomCheck.plan == name)
    rows = view.connection.execute(query.order_by(RandomCheck.pupil_id)).all()
    return pl.DataFrame(list(map(tuple, rows)), schema=SCHEMA, orient="row")


def could_be_drawn(view: View, name: str, pupils: Iterable[str]) -> set[str] | None:
    """Return which of some children the lot could draw, by the audit; None for a plan registered before the audit named them. The calling code records the view."""
    named = _named(view, PLANNED, name)
    return _among(view, named, pupils) if named else None


def not_drawn(view: View, name: str, pupils: Iterable[str]) -> int:
    """Return how many children the audit's entry of the draw does not name, under any key and former pseudonym. The calling code records the view."""
    of_plan = set(pupils)
    return len(of_plan - _among(view, _named(view, DRAWN, name), of_plan))


def _named(view: View, action: str, name: str) -> set[str]:
    """Return the references that the audit's entries of a plan name."""
    found = believed(view.connection, view.chain, AuditEntry.action == action)
    return {ref for entry in found if entry["details"]["name"] == name for ref in entry["pupils"]}


def _among(view: View, named: set[str], pupils: Iterable[str]) -> set[str]:
    return {pupil for ref, pupil in view.pupils_by_reference(pupils).items() if ref in named}


def of_pupil(view: View, pupil_id: str, today: date) -> date | None:
    """Return the day on which the lot drew a child of the caller's scope, while the check runs. The calling code records that the child was seen."""
    query = (
        sa.select(RandomCheck.drawn_on)
        .join(Pupil, Pupil.pupil_id == RandomCheck.pupil_id)
        .where(RandomCheck.pupil_id == pupil_id, RandomCheck.until > today, *view.caller.children(Pupil))
    )
    return view.connection.scalar(query.order_by(RandomCheck.drawn_on.desc()).limit(1))


def looked_at(view: View, today: date) -> dict[str, set[str]]:
    """Return children who are looked at anyway: with an ``open_case``, and ``in_trial`` as long as it runs."""
    ended = over(view, today)
    allocated = view.connection.execute(sa.select(TrialAllocation.trial, TrialAllocation.pupil_id))
    with_case = view.connection.scalars(sa.select(Case.pupil_id).where(Case.closed_at.is_(None)))
    return {"open_case": set(with_case), "in_trial": {pupil for trial, pupil in allocated if trial not in ended}}


def findings(
    view: View, name: str, *, first: date, until: date, no_conversation: Collection[str], needed: Collection[str]
) -> dict[str, bool]:
    """Return what workers recorded of the drawn children from a day until before another: whether help was needed.

    A child is known about once somebody spoke with the family, an entry has one of the ``needed`` codes, or the case was closed or set
    aside; others are not in the answer. The calling code records the view.

    Parameters
    ----------
    no_conversation : collection of str
        Outcomes of contacts in which nobody was spoken to.
    needed : collection of str
        Codes of outcomes, actions and closings that say that help was needed.
    """
    query = (
        sa.select(Case.pupil_id, CaseEntry.kind, CaseEntry.code, CaseEntry.on_day, CaseEntry.at)
        .join(CaseEntry, CaseEntry.case_id == Case.case_id)
        .join(RandomCheck, RandomCheck.pupil_id == Case.pupil_id)
        .where(RandomCheck.plan == name, CaseEntry.kind.in_(("contact", "action", "closed", "dismissed")))
    )
    found: dict[str, bool] = {}
    for row in view.connection.execute(query):
        if not first <= (row.on_day or london_day(row.at)) < until:
            continue
        need = row.code in needed
        spoke = row.kind == "contact" and row.code is not None and row.code not in no_conversation
        if need or spoke or row.kind in ("closed", "dismissed"):
            found[row.pupil_id] = found.get(row.pupil_id, False) or need
    return found
