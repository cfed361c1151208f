"""Keys that the audit does not know: put into the database past the commands, or changed there."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from serving.store.ledger.anchors import DECLARED
from serving.store.ledger.details import details_of
from serving.store.ledger.entry import PRUNED
from serving.store.tables import AuditEntry, StoredKey

CREATED = "key.created"
RIGHTS = ("role", "authority", "urns", "expires", "names")


def unrecorded_keys(connection: sa.Connection) -> list[str]:
    """Return the keys that no entry made with these rights, oldest first.

    Keys of before the audit's first declaration, and keys whose entry retention removed, are named by the entry of that.
    """
    known, accepted, is_declared = _recorded(connection)
    if not is_declared:
        return []
    rows = connection.execute(sa.select(StoredKey.__table__).order_by(StoredKey.created_at)).mappings()
    return [
        row["key_id"] for row in rows if row["key_id"] not in accepted and not _agrees(known.get(row["key_id"]), row)
    ]


def without_entry(connection: sa.Connection) -> list[str]:
    """Return the keys that no entry made, for the audit's first declaration: they are taken as they are."""
    known, _, _ = _recorded(connection)
    return sorted(set(connection.scalars(sa.select(StoredKey.key_id))) - set(known))


def recorded_until(connection: sa.Connection, until: int) -> list[str]:
    """Return the keys that are still there and whose entry stands at or before one, for the entry of its removal."""
    known, accepted, _ = _recorded(connection, until)
    return sorted({*known, *accepted} & set(connection.scalars(sa.select(StoredKey.key_id))))


def _recorded(connection: sa.Connection, until: int | None = None) -> tuple[dict[str, Any], set[str], bool]:
    kinds = AuditEntry.action.in_((CREATED, DECLARED, PRUNED))
    query = sa.select(AuditEntry.action, AuditEntry.details).where(kinds)
    query = query if until is None else query.where(AuditEntry.seq <= until)
    known: dict[str, Any] = {}
    accepted: set[str] = set()
    is_declared = False
    for action, text in connection.execute(query.order_by(AuditEntry.seq)):
        details = details_of(text)
        if action == CREATED:
            known[str(details.get("key_id"))] = details
        else:
            keys = details.get("keys")
            accepted.update(map(str, keys) if isinstance(keys, list) else ())
            is_declared = is_declared or action == DECLARED or "keys" in details
    return known, accepted, is_declared


def _agrees(details: dict[str, Any] | None, row: Any) -> bool:
    """Return whether a key has the rights that its entry says; older entries say less."""
    if details is None:
        return False
    now = {**row, "urns": json.loads(row["urns"]), "expires": row["expires"] and str(row["expires"])}
    return all(details[name] == now[name] for name in RIGHTS if name in details)
