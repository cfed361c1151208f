"""The access review: every key and person, what they may see, and when they last used it."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from histories.calendar import london_day
from serving.store.cases.tables import Person
from serving.store.tables import AuditEntry, StoredKey
from serving.store.unit_of_work import View

FIELDS = ("who", "kind", "name", "role", "authority", "urns", "names", "status", "since", "expires", "last_used")


def review(view: View) -> list[dict[str, Any]]:
    """Return everybody who may see something, or who ever did, with ``FIELDS``; the least recently used first.

    ``last_used`` is the day and time of the newest entry in the audit, so it reaches back as far as the audit is kept.
    """
    newest = (
        sa.select(AuditEntry.who, sa.func.max(AuditEntry.role).label("role"), sa.func.max(AuditEntry.at).label("at"))
        .where(AuditEntry.action != "request.refused")
        .group_by(AuditEntry.who)
    )
    audited = {row.who: row for row in view.connection.execute(newest)}
    rows = [*_keys(view), *_people(view)]
    known = {row["who"] for row in rows}
    rows += [
        {"who": who, "kind": who.partition(":")[0], "role": row.role, "status": "audit only"}
        for who, row in audited.items()
        if who not in known and who != "service" and not who.startswith("registry:")
    ]
    used = {who: row.at for who, row in audited.items()}
    reviewed = [dict.fromkeys(FIELDS) | row | {"last_used": used.get(str(row["who"]))} for row in rows]
    view.record("access.reviewed", count=len(reviewed))
    return sorted(reviewed, key=lambda row: (row["last_used"] or "", row["who"]))


def _keys(view: View) -> list[dict[str, Any]]:
    today = london_day(view.now)
    rows = []
    for key in view.connection.execute(sa.select(StoredKey.__table__)):
        ended = "expired" if key.expires is not None and key.expires < today else "active"
        rows.append(
            {
                "who": key.key_id,
                "kind": "key",
                "name": key.holder,
                "role": key.role,
                "authority": key.authority,
                "urns": json.loads(key.urns),
                "names": key.names,
                "status": "revoked" if key.revoked_at else ended,
                "since": key.created_at,
                "expires": key.expires,
            }
        )
    return rows


def _people(view: View) -> list[dict[str, Any]]:
    keys = sa.select(StoredKey.key_id)
    people = sa.select(Person.__table__).where(Person.person_id.not_in(keys))
    return [
        {
            "who": person.person_id,
            "kind": person.person_id.partition(":")[0],
            "name": person.name,
            "role": person.role,
            "authority": person.authority,
            "urns": json.loads(person.urns),
            "names": person.names,
            "status": "active" if person.active else "closed",
        }
        for person in view.connection.execute(people)
    ]
