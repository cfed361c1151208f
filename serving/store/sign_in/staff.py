"""The people who work with the pages, and how many children their teams can take up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from serving.store.caller import Caller
from serving.store.cases.tables import Capacity, Person
from serving.store.unit_of_work import Change, Conflict, NotThere, View


def _authority(caller: Caller, table: Any) -> list[sa.ColumnElement[bool]]:
    """Select rows of the caller's authority; staff and teams belong to it whichever schools the caller sees."""
    return Caller(caller.key_id, caller.role, caller.authority).scope(table)


def remember(change: Change, name: str, localities: Sequence[str] = (), team: str | None = None) -> int:
    """Keep who the caller is, as the way in says, so that cases can be given to them; return the version."""
    own = change.caller
    known = {
        "name": name,
        "role": own.role,
        "authority": own.authority,
        "urns": json.dumps(own.urns),
        "localities": json.dumps(list(localities)),
        "team": team,
        "active": True,
        "changed_at": change.now,
        "changed_by": own.key_id,
    }
    before = change.connection.scalar(sa.select(Person.version).where(Person.person_id == own.key_id)) or 0
    if before:
        update = sa.update(Person).where(Person.person_id == own.key_id).values(**known, version=before + 1)
        change.connection.execute(update)
    else:
        change.connection.execute(sa.insert(Person), {**known, "person_id": own.key_id, "version": 1})
    change.record("person.remembered", version=before + 1)
    return before + 1


def active_staff(view: View) -> list[dict[str, Any]]:
    """Return the staff of the caller's authority who are active, by name."""
    query = sa.select(Person.__table__).where(*_authority(view.caller, Person), Person.active).order_by(Person.name)
    found = view.connection.execute(query).mappings().all()
    view.record("people.seen", count=len(found))
    return [{**p, "urns": json.loads(p["urns"]), "localities": json.loads(p["localities"])} for p in found]


def set_capacity(change: Change, authority: str, team: str, per_week: int, version: int) -> int:
    """Set how many children a team can take up in a week; ``version`` is 0 when none was set. Return the new version.

    Raises
    ------
    NotThere
        When the authority is not the caller's.
    Conflict
        When somebody set it meanwhile.
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
    """Return what teams of the caller's authority can take up."""
    query = sa.select(Capacity.__table__).where(*_authority(view.caller, Capacity)).order_by(Capacity.team)
    found = view.connection.execute(query).mappings().all()
    view.record("capacities.seen", count=len(found))
    return [dict(c) for c in found]
