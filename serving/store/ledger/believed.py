"""Entries of the audit that carry its code, for whoever acts on what they say: without the key, nobody can add one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from histories.errors import Fault, Faults
from serving.store.ledger.chain import Chain
from serving.store.ledger.details import details_of
from serving.store.ledger.entry import PRUNED
from serving.store.tables import AuditEntry


def believed(connection: sa.Connection, chain: Chain, *which: sa.ColumnElement[bool]) -> Iterator[dict[str, Any]]:
    """Yield entries, oldest first, with ``pupils`` and ``details`` read.

    Parameters
    ----------
    which : conditions
        Of ``AuditEntry``.

    Raises
    ------
    Faults
        At the first one that does not carry its code: it was changed, or put in past onroll.
    """
    before = aliased(AuditEntry)
    query = sa.select(AuditEntry.__table__, before.mac.label("before")).outerjoin(
        before, before.seq == AuditEntry.seq - 1
    )
    for row in connection.execute(query.where(*which).order_by(AuditEntry.seq)).mappings():
        if not carries_its_code(connection, chain, row, row["before"]):
            do = "Run 'onroll audit verify', and find out who changed the audit."
            raise Faults(Fault(f"entry {row['seq']} does not carry the audit's code", "audit", do, "audit_changed"))
        yield {**row, "pupils": json.loads(row["pupils"]), "details": json.loads(row["details"])}


def carries_its_code(connection: sa.Connection, chain: Chain, row: Any, before: str | None) -> bool:
    """Return whether an entry follows the one before it, under any key; ``before`` is the code of that one, None if it is not there."""
    if before is not None or row["seq"] == 1:
        return _codes(chain, before or "", row)
    # Retention removed what stood before it: the entry of that names the last code. A forged one could name no code that fits.
    removals = connection.scalars(sa.select(AuditEntry.details).where(AuditEntry.action == PRUNED)).all()
    ends = [d.get("mac") for d in map(details_of, removals) if d.get("until") == row["seq"] - 1]
    return any(isinstance(end, str) and _codes(chain, end, row) for end in ends)


def _codes(chain: Chain, before: str, row: Any) -> bool:
    return any(link.code(before, row) == row["mac"] for link in chain.links)
