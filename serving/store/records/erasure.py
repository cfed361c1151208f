"""Erasing pupils: everything that names them goes, and the audit keeps references that are nobody's without its key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from histories.errors import Fault, Usage
from serving.store.cases.casework_tables import OF_PUPILS
from serving.store.cases.tables import Case, CaseEntry, DataFault
from serving.store.records.holds import held
from serving.store.records.retention import remove, tidy
from serving.store.tables import Hold, Pupil, StoredScore
from serving.store.unit_of_work import Change

BATCH = 500
MAX_REASON = 500


@dataclass(frozen=True)
class Erased:
    """How many pupils were erased, how many are held and stay, and how many the store does not know."""

    erased: int
    held: int
    unknown: int


def said(reason: str, pupils: Sequence[str]) -> str:
    """Return a reason that may be kept for ever.

    Raises
    ------
    Usage
        When it is empty, too long, or names a pupil.
    """
    kept = reason.strip()
    if not 0 < len(kept) <= MAX_REASON or "\x00" in kept:
        raise Usage(Fault("the reason is empty or too long", "--reason", f"Give 1 to {MAX_REASON} characters."))
    if any(p in kept for p in pupils):
        raise Usage(Fault("the reason names a pupil", "--reason", "Say why without saying who: it stays in the audit."))
    return kept


def erase(change: Change, pupils: Sequence[str], reason: str) -> Erased:
    """Remove all rows of pupils from every table but the audit; who is held stays whole."""
    stays = held(change.connection)
    asked = list(dict.fromkeys(pupils))
    free = [p for p in asked if p not in stays]
    known, rows = set(), 0
    for at in range(0, len(free), BATCH):
        part = free[at : at + BATCH]
        for table in (Pupil, StoredScore, Case, Hold):
            known |= set(change.connection.scalars(sa.select(table.pupil_id).where(table.pupil_id.in_(part))))
        for own in (Case, StoredScore, Hold, *OF_PUPILS, Pupil):
            rows += remove(change.connection, own, own.pupil_id.in_(part))
    tidy(change.connection)
    found = Erased(len(known), len(asked) - len(free), len(free) - len(known))
    kept = change.references(p for p in asked if p in stays)
    change.record("pupils.erased", pupils=sorted(known), reason=reason, rows=rows, held=kept, unknown=found.unknown)
    return found


def settle(engine: sa.Engine) -> None:
    """Let what was removed leave the files too: SQLite's journal still holds it, and so do PostgreSQL's dead rows."""
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as autocommit:
        emptied = (StoredScore, Pupil, Case, CaseEntry, DataFault, Hold, *OF_PUPILS)
        autocommit.exec_driver_sql(f"VACUUM {', '.join(table.__tablename__ for table in emptied)}")
