"""Who of the staff saw, helped or set aside which children of the lists, from the audit and the cases: the material of ``serving.monitoring.involvement``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from histories.calendar import london_midnight
from serving.store.cases.cases import PLACE
from serving.store.cases.tables import Case, CaseEntry, DataFault, Person
from serving.store.scores.tops import lists_since, places_until_now, top_of
from serving.store.tables import AuditEntry, Pupil
from serving.store.unit_of_work import BATCH, View

VIEW = "pupil.seen"  # the audit's entry of a child's page that was opened
LOOK_BACK = timedelta(days=84)  # before a period, in which a page may have been opened that is acted on in it
ACTS = ("contact", "action", "enquiry")
ASIDE = ("dismissed", "snoozed")


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something that a member of staff did for a child.

    Attributes
    ----------
    kind : str
        ``seen``, ``acted``, ``set_aside``, ``doubted`` or ``opened``.
    reason : str
        Of a child set aside or a doubt: the code that was chosen, ``snoozed`` of a child set aside until a day; "" of all others.
    """

    pupil_id: str
    who: str
    at: datetime
    kind: str
    reason: str = ""


@dataclass(kw_only=True)
class Material:
    """What staff did in a period.

    Attributes
    ----------
    since, until : date
        The period, until before ``until``.
    lists : int
        Lists of the period.
    shown : dict
        For each child at the top of a list: when the first of these lists was stored to be shown, at the beginning of its day.
    place : dict
        The child's place on that list, from 1.
    steps : list of Step
    groups : dict
        ``authority, locality, role`` of each member of staff; the locality is "" for the whole authority.
    """

    since: date
    until: date
    lists: int = 0
    shown: dict[str, datetime] = field(default_factory=dict)
    place: dict[str, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    groups: dict[str, tuple[str, str, str]] = field(default_factory=dict)


def material(view: View, since: date, until: date, most: int, team: str | None = None) -> Material:
    """Return what staff of the caller's authority did in a period, for children of the caller's scope.

    Parameters
    ----------
    most : int
        Number of children at the top of the newest list; earlier ones have that of their time (``tops.places``).
    team : str, optional
        See ``tops.places``.
    """
    made = Material(since=since, until=until)
    lists = lists_since(view, since, shown_then=True)
    room = places_until_now(view, lists, most, team)
    for day, version in lists.items():
        if day < until:
            made.lists += 1
            for place, row in enumerate(top_of(view, (day, version), room[day]), 1):
                made.shown.setdefault(row.pupil_id, london_midnight(day))
                made.place.setdefault(row.pupil_id, place)
    made.steps += _entries(view, since, until)
    made.steps += _doubts(view, since, until)
    made.steps += _opened(view, since, until)
    views, roles = _views(view, made)
    made.steps = sorted([*made.steps, *views], key=lambda step: step.at)
    made.groups = _groups(view, {step.who for step in made.steps}, roles)
    view.record("involvement.seen", lists=made.lists, listed=len(made.shown))
    return made


def _in_period(moment: Any, since: date, until: date) -> list[sa.ColumnElement[bool]]:
    return [moment >= london_midnight(since), moment < london_midnight(until)]


def _of_scope(view: View, columns: Iterable[Any]) -> sa.Select[Any]:
    query = sa.select(*columns).select_from(Case).join(Pupil, Pupil.pupil_id == Case.pupil_id)
    return query.where(*view.caller.children(PLACE))


def _entries(view: View, since: date, until: date) -> list[Step]:
    query = (
        _of_scope(view, (Case.pupil_id, CaseEntry.by, CaseEntry.at, CaseEntry.kind, CaseEntry.code))
        .join(CaseEntry, CaseEntry.case_id == Case.case_id)
        .where(CaseEntry.kind.in_((*ACTS, *ASIDE)), *_in_period(CaseEntry.at, since, until))
    )
    return [
        Step(pupil_id=r.pupil_id, who=r.by, at=r.at, kind="acted")
        if r.kind in ACTS
        else Step(pupil_id=r.pupil_id, who=r.by, at=r.at, kind="set_aside", reason=r.code or r.kind)
        for r in view.connection.execute(query)
    ]


def _doubts(view: View, since: date, until: date) -> list[Step]:
    query = _of_scope(view, (Case.pupil_id, DataFault.raised_by, DataFault.raised_at, DataFault.reason))
    query = query.join(DataFault, DataFault.case_id == Case.case_id)
    rows = view.connection.execute(query.where(*_in_period(DataFault.raised_at, since, until)))
    return [
        Step(pupil_id=r.pupil_id, who=r.raised_by, at=r.raised_at, kind="doubted", reason=r.reason or "no_reason")
        for r in rows
    ]


def _opened(view: View, since: date, until: date) -> list[Step]:
    query = _of_scope(view, (Case.pupil_id, Case.opened_by, Case.opened_at))
    rows = view.connection.execute(query.where(*_in_period(Case.opened_at, since, until)))
    return [Step(pupil_id=r.pupil_id, who=r.opened_by, at=r.opened_at, kind="opened") for r in rows]


def _views(view: View, made: Material) -> tuple[list[Step], dict[str, str]]:
    """Return who opened the page of which child, before the period too, and the role that each had last."""
    child = view.pupils_by_reference({*made.shown, *(step.pupil_id for step in made.steps)})
    start, end = london_midnight(made.since - LOOK_BACK), london_midnight(made.until)
    query = sa.select(AuditEntry.at, AuditEntry.who, AuditEntry.role, AuditEntry.pupils).where(
        AuditEntry.seq >= _first_since(view, start), AuditEntry.action == VIEW
    )
    if view.caller.authority:
        query = query.where(AuditEntry.authority == view.caller.authority)
    steps, roles = [], {}
    for row in view.connection.execute(query.order_by(AuditEntry.seq)):
        at = datetime.fromisoformat(row.at)
        if at >= end:
            break
        roles[row.who] = row.role
        seen = {child[ref] for ref in json.loads(row.pupils) if ref in child}
        steps += [Step(pupil_id=pupil, who=row.who, at=at, kind="seen") for pupil in seen]
    return steps, roles


def _first_since(view: View, start: datetime) -> int:
    """Return the number of the first entry of the audit from a moment on: entries are in the order of time, so that halving finds it without reading them all."""
    low = view.connection.scalar(sa.select(sa.func.min(AuditEntry.seq))) or 1
    high = (view.connection.scalar(sa.select(sa.func.max(AuditEntry.seq))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        at = view.connection.scalar(sa.select(AuditEntry.at).where(AuditEntry.seq == middle))
        is_since = at is None or datetime.fromisoformat(at) >= start
        low, high = (low, middle) if is_since else (middle + 1, high)
    return low


def _groups(view: View, who: Iterable[str], roles: Mapping[str, str]) -> dict[str, tuple[str, str, str]]:
    """Return the group of each member of staff; one who only ever used tokens or keys is known by the audit alone."""
    acted = sorted(who)
    people: dict[str, Any] = {}
    query = sa.select(Person.person_id, Person.role, Person.authority, Person.localities)
    for at in range(0, len(acted), BATCH):
        rows = view.connection.execute(query.where(Person.person_id.in_(acted[at : at + BATCH])))
        people.update((row.person_id, row) for row in rows)
    found = {}
    for one in acted:
        person = people.get(one)
        role = person.role if person else roles.get(one, "unknown")
        places = ", ".join(sorted(json.loads(person.localities))) if person else ""
        authority = (person.authority if person else view.caller.authority) or ""
        found[one] = authority, places, role
    return found
