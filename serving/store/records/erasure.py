"""Erasure of pupils from every table; the audit keeps references that only its key can link to a pupil."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from histories.errors import Fault, Usage
from serving.store.cases.tables import Case
from serving.store.people.tables import StoredDetails
from serving.store.records.holds import held
from serving.store.records.places import BY_CASE, BY_PUPIL
from serving.store.records.retention import remove, tidy
from serving.store.tables import Hold, Pupil, StoredScore
from serving.store.unit_of_work import Change

BATCH = 500
MAX_REASON = 500
READ_MEANWHILE = (
    "The database's files still hold what was removed, since another program reads it."
    "\n    Stop what reads the database (the service, other commands), and run this command again."
)


@dataclass(frozen=True)
class Erased:
    """Numbers of pupils erased, under a legal hold, and unknown to the store."""

    erased: int
    held: int
    unknown: int


def checked_reason(reason: str, pupils: Sequence[str]) -> str:
    """Return a reason that the audit may keep.

    Raises
    ------
    Usage
        When it is empty, too long, or names a pupil.
    """
    kept = reason.strip()
    if not 0 < len(kept) <= MAX_REASON or "\x00" in kept:
        raise Usage(Fault("the reason is empty or too long", "--reason", f"Give 1 to {MAX_REASON} characters."))
    if any(p in kept for p in pupils):
        raise Usage(
            Fault(
                "the reason names a pupil", "--reason", "Give the reason without naming a pupil: it stays in the audit."
            )
        )
    return kept


def erase(change: Change, pupils: Sequence[str], reason: str) -> Erased:
    """Remove all rows of pupils from every table but the audit; pupils under a hold keep theirs."""
    on_hold = held(change.connection)
    requested = list(dict.fromkeys(pupils))
    free = [p for p in requested if p not in on_hold]
    present, rows = set(), 0
    for at in range(0, len(free), BATCH):
        part = free[at : at + BATCH]
        for table in (Pupil, StoredScore, Case, Hold, StoredDetails):
            present |= set(change.connection.scalars(sa.select(table.pupil_id).where(table.pupil_id.in_(part))))
        for table in BY_PUPIL:
            rows += remove(change.connection, table, table.pupil_id.in_(part))
    tidy(change.connection)
    erased = Erased(len(present), len(requested) - len(free), len(free) - len(present))
    kept = change.references(p for p in requested if p in on_hold)
    change.record("pupils.erased", pupils=sorted(present), reason=reason, rows=rows, held=kept, unknown=erased.unknown)
    return erased


def purge_files(engine: sa.Engine) -> str:
    """Remove erased rows from the files too: SQLite's write-ahead log and PostgreSQL's dead rows still hold them.

    Returns
    -------
    str
        Why the files may still hold them and what to do, or "". SQLite waits for readers as long as for writers, then gives up;
        PostgreSQL does not wait.
    """
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (busy, *_) = cursor.fetchone() or (1,)
        finally:
            connection.close()
        return READ_MEANWHILE if busy else ""
    emptied = ", ".join(table.__tablename__ for table in (*BY_PUPIL, *BY_CASE))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as autocommit:
        if not _may_vacuum(autocommit):
            return f"This account may not purge the database's files.\n    Run as the owner of the tables: VACUUM {emptied}"
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_xmin IS NOT NULL AND pid <> pg_backend_pid()"
        readers = autocommit.exec_driver_sql(query).scalar_one()
        autocommit.exec_driver_sql(f"VACUUM {emptied}")
    return READ_MEANWHILE if readers else ""


def _may_vacuum(connection: sa.Connection) -> bool:
    """Return whether PostgreSQL would vacuum the tables for this account, instead of skipping them with a warning."""
    owned = "pg_has_role(tableowner, 'USAGE')"
    if (connection.dialect.server_version_info or (0,)) >= (17,):
        owned += " OR has_table_privilege(quote_ident(schemaname) || '.' || quote_ident(tablename), 'MAINTAIN')"
    query = f"SELECT bool_and({owned}) FROM pg_tables WHERE schemaname = current_schema() AND tablename IN :emptied"  # nosec B608 # fixed words
    names = [table.__tablename__ for table in (*BY_PUPIL, *BY_CASE)]
    statement = sa.text(query).bindparams(sa.bindparam("emptied", expanding=True))
    return bool(connection.scalar(statement, {"emptied": names}))
