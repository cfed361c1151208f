"""Staff who use the pages, and the capacities of their teams."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from histories.calendar import london_day
from histories.errors import Fault, Faults
from serving.store.cases.tables import Capacity, Person
from serving.store.tables import StoredKey
from serving.store.unit_of_work import Change, Conflict, NotThere, View

OF_PEOPLE = ("token", "proxy", "dev")  # the beginnings of a person's id; a key's id has none
NO_ROLE = ""  # of somebody whose account was closed before they signed in to the pages


class AccountClosed(Faults):
    """The account was closed with ``onroll access close``."""


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
        "names": caller.sees_names,
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
    """Close or reopen a person's account: a closed one cannot sign in or use a token, has no session, and gets no case.

    Somebody who only ever used tokens with the HTTP interface can be closed too.

    Raises
    ------
    NotThere
        When nobody of this id has signed in, and it is not that of a person.
    Faults
        When it is a key that still works: closing would say that it is over while the interface goes on answering.
    """
    if not active and _works(change, person_id):
        do = f"Run 'onroll keys revoke {person_id}' first: it ends the key, and with it every session."
        raise Faults(Fault("this is a key, and it still works", "access close", do))
    who = {"changed_at": change.now, "changed_by": change.caller.key_id}
    update = sa.update(Person).where(Person.person_id == person_id, *change.caller.scope_of_authority(Person))
    if not change.connection.execute(update.values(active=active, version=Person.version + 1, **who)).rowcount:
        kind, _, account = person_id.partition(":")
        if active or kind not in OF_PEOPLE or not account or _known(change, person_id):
            raise NotThere("person")
        without = {
            "role": NO_ROLE,
            "authority": change.caller.authority,
            "urns": "[]",
            "localities": "[]",
            "team": None,
        }
        row = {"person_id": person_id, "name": account, "active": False, "version": 1, **without, **who}
        change.connection.execute(sa.insert(Person), row)
    change.record("person.reopened" if active else "person.closed", person=person_id)


def _works(change: Change, key_id: str) -> bool:
    """Return whether this is a key that is neither revoked nor expired."""
    in_time = sa.or_(StoredKey.expires.is_(None), StoredKey.expires >= london_day(change.now))
    works = sa.select(StoredKey.key_id).where(StoredKey.key_id == key_id, StoredKey.revoked_at.is_(None), in_time)
    return change.connection.scalar(works) is not None


def _known(change: Change, person_id: str) -> bool:
    return change.connection.scalar(sa.select(Person.person_id).where(Person.person_id == person_id)) is not None


def is_closed(connection: sa.Connection, person_id: str) -> bool:
    """Return whether a person's account was closed."""
    return connection.scalar(sa.select(Person.active).where(Person.person_id == person_id)) is False


def active_staff(view: View) -> list[dict[str, Any]]:
    """Return the staff of the caller's authority who are active, by name."""
    query = sa.select(Person.__table__).where(
        *view.caller.scope_of_authority(Person), Person.active, Person.role != NO_ROLE
    )
    rows = view.connection.execute(query.order_by(Person.name)).mappings().all()
    view.record("people.seen", count=len(rows))
    return [{**p, "urns": json.loads(p["urns"]), "localities": json.loads(p["localities"])} for p in rows]


def names_of(view: View, who: Iterable[str | None]) -> dict[str, str]:
    """Return the names of people and of keys' holders among some callers, closed ones included. The calling code records the view."""
    some = {w for w in who if w}
    people = sa.select(Person.person_id, Person.name).where(Person.person_id.in_(some))
    holders = sa.select(StoredKey.key_id, StoredKey.holder).where(StoredKey.key_id.in_(some))
    rows = [*view.connection.execute(people), *view.connection.execute(holders)]
    return {who: name for who, name in rows if name}


def own_name(change: Change) -> str:
    """Return what pages call the caller: a key's holder, or else the account. The calling code records it."""
    who = change.caller.key_id
    holder = change.connection.scalar(sa.select(StoredKey.holder).where(StoredKey.key_id == who))
    return holder or who.partition(":")[2] or who


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
    query = sa.select(Capacity.__table__).where(*view.caller.scope_of_authority(Capacity)).order_by(Capacity.team)
    rows = view.connection.execute(query).mappings().all()
    view.record("capacities.seen", count=len(rows))
    return [dict(c) for c in rows]
