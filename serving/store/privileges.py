"""PostgreSQL's four roles: the owner of the schema, the service, retention, and access.

The owner's account runs migrations and ``grant`` and is used for nothing else. The service's account cannot change a table or a
trigger, run a program, or delete a score, a case or an entry of the audit. Retention's account deletes what is due, marks the lists
that lost scores by it, and empties old texts of duties; the audit only from its beginning, through one function of the owner. Access's account makes and revokes keys and reads no child's record: whoever
breaks into the service leaves no key behind.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from histories.errors import Fault, Usage
from serving.store.cases.casework_tables import (
    OF_PUPILS,
    School,
    StoredAtHome,
    StoredDeadline,
    StoredHistory,
    StoredInvolvement,
    StoredMissing,
    StoredOffRoll,
    StoredSilence,
    StoredTransition,
)
from serving.store.cases.saved_filters import SavedFilter
from serving.store.cases.tables import Capacity, Case, CaseEntry, DataFault, Person
from serving.store.database import writing
from serving.store.people.tables import StoredDetails
from serving.store.records.places import BY_CASE, BY_PUPIL, OF_TRIALS
from serving.store.schema import may_upgrade
from serving.store.sign_in.answers import TakenAnswer
from serving.store.sign_in.sessions import Session
from serving.store.tables import (
    AuditEntry,
    Base,
    CopiedLog,
    FormerReference,
    Hold,
    Pupil,
    ScoreList,
    ScoreRecipe,
    ShadowCount,
    StoredKey,
    StoredScore,
)

SERVICE, RETENTION, ACCESS = "onroll_service", "onroll_retention", "onroll_access"
PRUNE = "audit_prune"
ADDED = "SELECT, INSERT"
CHANGED = "SELECT, INSERT, UPDATE"
REPLACED = "SELECT, INSERT, UPDATE, DELETE"
# What the service does to each table.
OF_SERVICE: dict[Any, str] = {
    AuditEntry: ADDED,
    FormerReference: "SELECT",
    CaseEntry: ADDED,
    ShadowCount: ADDED,
    ScoreRecipe: ADDED,
    **dict.fromkeys(OF_TRIALS, ADDED),
    StoredScore: "SELECT, INSERT, UPDATE (replaced_at)",
    StoredKey: "SELECT",
    Hold: "SELECT, INSERT, UPDATE (lifted_at, lifted_by)",
    **dict.fromkeys((Pupil, ScoreList, Person, Capacity, Case, DataFault, School), CHANGED),
    **dict.fromkeys((StoredHistory, StoredTransition, StoredDeadline), CHANGED),
    **dict.fromkeys((StoredInvolvement, StoredAtHome, StoredSilence), REPLACED),
    **dict.fromkeys((StoredMissing, StoredOffRoll, CopiedLog, SavedFilter, StoredDetails), REPLACED),
    Session: "SELECT, INSERT, UPDATE (seen_at), DELETE",
    TakenAnswer: "SELECT, INSERT, DELETE",
}
# What access does, and nothing else; ``verify`` reads keys and the audit only.
OF_ACCESS: dict[Any, str] = {AuditEntry: ADDED, StoredKey: "SELECT, INSERT, UPDATE (revoked_at)"}
# What retention and erasure empty; the audit is emptied by a function alone.
OF_RETENTION = tuple(dict.fromkeys((*BY_PUPIL, *BY_CASE, *OF_PUPILS, ScoreList, SavedFilter, StoredKey, ShadowCount)))
# Runs as the owner, with the schema's own tables whatever the caller's search path; the last entry stays, since the next needs its code.
PRUNE_SQL = """
CREATE OR REPLACE FUNCTION {prune}(last_removed bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = {place}, pg_temp AS $$
DECLARE removed bigint;
BEGIN
    IF last_removed >= (SELECT max(seq) FROM audit) THEN
        RAISE EXCEPTION 'the last entry of the audit stays';
    END IF;
    ALTER TABLE audit DISABLE TRIGGER audit_no_delete;
    DELETE FROM audit WHERE seq <= last_removed;
    GET DIAGNOSTICS removed = ROW_COUNT;
    ALTER TABLE audit ENABLE TRIGGER audit_no_delete;
    RETURN removed;
END $$
"""


def grant(engine: sa.Engine) -> None:
    """Give the roles of the service, of retention and of access exactly what they need, in one transaction; run again after each upgrade.

    Raises
    ------
    Usage
        When the database is not PostgreSQL, the roles are missing, or this account does not own the tables.
    """
    if engine.dialect.name != "postgresql":
        do = "Leave --grant out: SQLite has no accounts."
        raise Usage(Fault("only PostgreSQL has roles", "ONROLL_DATABASE_URL", do))
    with writing(engine) as connection:
        _must_be_able_to_grant(connection)
        for statement in _statements(connection):
            connection.exec_driver_sql(statement)


def _must_be_able_to_grant(connection: sa.Connection) -> None:
    needed = {SERVICE, RETENTION, ACCESS}
    roles = sa.text("SELECT rolname FROM pg_roles WHERE rolname = ANY (:needed)")
    missing = sorted(needed - set(connection.scalars(roles, {"needed": sorted(needed)})))
    if missing:
        do = "Create them as the server's administrator: deploy/postgres/roles.sql does."
        raise Usage(Fault(f"there is no role {' or '.join(missing)}", "ONROLL_DATABASE_URL", do))
    if not may_upgrade(connection):
        do = "Let ONROLL_DATABASE_URL name the account that owns the tables, for this command only."
        raise Usage(Fault("this account does not own the tables", "ONROLL_DATABASE_URL", do))


def _statements(connection: sa.Connection) -> list[str]:
    place = connection.dialect.identifier_preparer.quote(connection.scalar(sa.text("SELECT current_schema()")))
    both, tables = f"{SERVICE}, {RETENTION}", f"ALL TABLES IN SCHEMA {place}"
    every = f"{both}, {ACCESS}"
    server = connection.dialect.server_version_info or (0,)
    removing = ", ".join(table.__tablename__ for table in OF_RETENTION)
    return [
        f"REVOKE CREATE ON SCHEMA {place} FROM PUBLIC",
        f"REVOKE ALL ON SCHEMA {place} FROM {every}",
        f"REVOKE ALL ON {tables} FROM PUBLIC, {every}",
        # A privilege on a table's columns outlives one on the table.
        *(_revoke_columns(table, every) for table in Base.metadata.sorted_tables),
        f"GRANT USAGE ON SCHEMA {place} TO {every}",
        f"GRANT SELECT ON {tables} TO {both}",
        *(f"GRANT {rights} ON {table.__tablename__} TO {SERVICE}" for table, rights in OF_SERVICE.items()),
        *(f"GRANT {rights} ON {table.__tablename__} TO {ACCESS}" for table, rights in OF_ACCESS.items()),
        f"GRANT SELECT ON alembic_version TO {ACCESS}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {place} TO {SERVICE}",
        f"GRANT INSERT ON {AuditEntry.__tablename__} TO {RETENTION}",
        f"GRANT DELETE ON {removing} TO {RETENTION}",
        f"GRANT UPDATE (thinned_at) ON {ScoreList.__tablename__} TO {RETENTION}",  # that a list has lost scores
        f"GRANT UPDATE (stopped_text) ON {StoredDeadline.__tablename__} TO {RETENTION}",
        *([f"GRANT MAINTAIN ON {removing} TO {RETENTION}"] if server >= (17,) else []),  # VACUUM, after an erasure
        PRUNE_SQL.format(prune=PRUNE, place=place),
        f"REVOKE ALL ON FUNCTION {PRUNE}(bigint) FROM PUBLIC, {every}",
        f"GRANT EXECUTE ON FUNCTION {PRUNE}(bigint) TO {RETENTION}",
    ]


def _revoke_columns(table: sa.Table, roles: str) -> str:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    return f"REVOKE ALL ({columns}) ON {table.name} FROM {roles}"
