"""Staff who use the pages, and the capacities of their teams."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from histories.errors import Fault, Faults
from serving.store.caller import Caller
from serving.store.cases.tables import Capacity, Person
from serving.store.unit_of_work import Change, Conflict, NotThere, View


class AccountClosed(Faults):
    """The account was closed with ``onroll access close``."""


def _authority(caller: Caller, table: Any) -> list[sa.ColumnElement[bool]]:
    """Select rows of the caller's authority; staff and teams belong to it whichever schools the caller sees."""
    return Caller(caller.key_id, caller.role, caller.authority).scope(table)


def remember(change: Change, name: str, localities: Sequence[str] = (), team: str | None = None) -> int:
    """Store the caller as a member of staff, so that cases can be assigned to them; return the row's version.

    Raises
    ------
    AccountClosed
        When the caller's account was closed.
    """
    caller = change.caller
    values = {
        "name": name,
        "role": caller.role,
        "authority": caller.authority,
        "urns": json.dumps(caller.urns),
        "localities": json.dumps(list(localities)),
        "team": team,
        "active": True,
        "changed_at": change.now,
        "changed_by": caller.key_id,
    }
    stored = sa.select(Person.version, Person.active).where(Person.person_id == caller.key_id)
    row = change.connection.execute(stored).one_or_none()
    if row and not row.active:
        raise AccountClosed(Fault("the account is closed", "sign-in", "Ask who looks after onroll to open it again."))
    before = row.version if row else 0
    if before:
        update = sa.update(Person).where(Person.person_id == caller.key_id).values(**values, version=before + 1)
        change.connection.execute(update)
    else:
        change.connection.execute(sa.insert(Person), {**values, "person_id": caller.key_id, "version": 1})
    change.record("person.remembered", version=before + 1)
    return before + 1


def set_active(change: Change, person_id: str, *, active: bool) -> None:
    """Close or reopen a person's account: a closed one cannot sign in, has no session, and gets no case.

    Raises
    ------
    NotThere
        When nobody of this id has signed in yet.
    """
    who = {"changed_at": change.now, "changed_by": change.caller.key_id}
    update = sa.update(Person).where(Person.person_id == person_id, *_authority(change.caller, Person))
    if not change.connection.execute(update.values(active=active, version=Person.version + 1, **who)).rowcount:
        raise NotThere("person")
    change.record("person.reopened" if active else "person.closed", person=person_id)


def active_staff(view: View) -> list[dict[str, Any]]:
    """Return the staff of the caller's authority who are active, by name."""
    query = sa.select(Person.__table__).where(*_authority(view.caller, Person), Person.active).order_by(Person.name)
    rows = view.connection.execute(query).mappings().all()
    view.record("people.seen", count=len(rows))
    return [{**p, "urns": json.loads(p["urns"]), "localities": json.loads(p["localities"])} for p in rows]


def set_capacity(change: Change, authority: str, team: str, per_week: int, version: int) -> int:
    """Set a team's weekly capacity and return the new version; ``version`` is 0 for the first setting.

    Raises
    ------
    NotThere
        When the authority is not the caller's.
    Conflict
        When somebody else has changed it.
    """
    if change.caller.authority not in (None, authority):
        raise NotThere("team")
    values = {
        "per_week": per_week,
        "version": version + 1,
        "changed_at": change.now,
        "changed_by": change.caller.key_id,
    }
    try:
        with change.connection.begin_nested():
            if version:
                which = (Capacity.authority == authority, Capacity.team == team, Capacity.version == version)
                done = change.connection.execute(sa.update(Capacity).where(*which).values(**values)).rowcount
            else:
                change.connection.execute(sa.insert(Capacity), {**values, "authority": authority, "team": team})
                done = 1
    except sa.exc.IntegrityError:
        done = 0
    if not done:
        raise Conflict
    change.record("capacity.set", team=team, per_week=per_week, version=version + 1)
    return version + 1


def capacities(view: View) -> list[dict[str, Any]]:
    """Return the capacities of the teams of the caller's authority."""
    query = sa.select(Capacity.__table__).where(*_authority(view.caller, Capacity)).order_by(Capacity.team)
    rows = view.connection.execute(query).mappings().all()
    view.record("capacities.seen", count=len(rows))
    return [dict(c) for c in rows]
