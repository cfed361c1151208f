"""Removing the oldest entries of the audit. Its triggers forbid that, so they are lifted and the chain records the removal."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from serving.store.audit.unanchored import in_force
from serving.store.audit.unrecorded import recorded_until
from serving.store.ledger.entry import PRUNED
from serving.store.privileges import PRUNE
from serving.store.records.holds import held
from serving.store.tables import AuditEntry
from serving.store.unit_of_work import View


def prunable(work: View, before: datetime) -> tuple[int, int]:
    """Return how many entries can be removed, and the number of the last one.

    Removable entries are older than ``before``, concern no held pupil, and start the chain: an old entry after one that must stay
    stays too.
    """
    rows = work.connection.execute(sa.select(sa.func.min(AuditEntry.seq), sa.func.max(AuditEntry.seq))).one()
    if rows[0] is None:
        return 0, 0
    must_stay = [rows[1]]  # the next entry needs the last one's code
    young = AuditEntry.at >= before.isoformat(timespec="milliseconds")
    named = [
        AuditEntry.pupils.contains(r) | AuditEntry.details.contains(r)
        for r in work.all_references(held(work.connection))
    ]
    for condition in (young, *named):
        first = work.connection.scalar(sa.select(sa.func.min(AuditEntry.seq)).where(condition))
        must_stay += [first] if first is not None else []
    until = min(must_stay) - 1
    return max(0, until - rows[0] + 1), until


def prune(work: View, before: datetime) -> int:
    """Remove the ``prunable`` entries, record in the chain where it now begins, and return how many."""
    work.chain.lock(work.connection)
    count, until = prunable(work, before)
    if count:
        mac = work.connection.scalar(sa.select(AuditEntry.mac).where(AuditEntry.seq == until))
        rule, keys = in_force(work.connection, until), recorded_until(work.connection, until)
        _remove(work.connection, until)
        kept = {"anchors": rule, "keys": keys} if rule else {}  # what the removed entries had declared and made
        work.record(PRUNED, until=until, mac=mac, entries=count, **kept)
    return count


def _remove(connection: sa.Connection, until: int) -> None:
    """Remove the entries up to one; by the owner's function where the roles are separate, since a trigger is its owner's to lift."""
    if connection.dialect.name == "postgresql":
        if connection.scalar(sa.text(f"SELECT to_regprocedure('{PRUNE}(bigint)') IS NOT NULL")):
            connection.execute(sa.text(f"SELECT {PRUNE}(:until)"), {"until": until})
            return
        off, on = (f"ALTER TABLE audit {x} TRIGGER audit_no_delete" for x in ("DISABLE", "ENABLE"))
    else:
        off = "DROP TRIGGER audit_no_delete"
        on = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'audit_no_delete'").scalar_one()
    connection.exec_driver_sql(off)
    connection.execute(sa.delete(AuditEntry).where(AuditEntry.seq <= until))
    connection.exec_driver_sql(on)
