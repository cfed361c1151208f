"""The audit's triggers, and whatever else in a database acts on its own: triggers, rules and row security that are not onroll's."""

from __future__ import annotations

import re

import sqlalchemy as sa

# The audit's triggers by name: the event that each refuses. PostgreSQL has one more.
TRIGGERS = {"audit_no_update": "UPDATE", "audit_no_delete": "DELETE"}
ON_POSTGRESQL = {**TRIGGERS, "audit_no_truncate": "TRUNCATE"}
REFUSAL = "'the audit is only added to'"
SQLITE_TEXT = "CREATE TRIGGER {name} BEFORE {event} ON audit BEGIN SELECT RAISE(ABORT, {refusal}); END"
POSTGRESQL_TEXT = "CREATE TRIGGER {name} BEFORE {event} ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_only_added()"
ON_CONFLICT = re.compile(r"\bON\s+CONFLICT\b", re.IGNORECASE)
FOREIGN_ON_POSTGRESQL = """
    WITH ours AS (
        SELECT oid, relname, relrowsecurity FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
    )
    SELECT 'trigger ' || tgname || ' on ' || relname FROM pg_trigger JOIN ours ON ours.oid = tgrelid
        WHERE NOT tgisinternal AND NOT (relname = 'audit' AND tgname = ANY (:ours))
    UNION ALL SELECT 'rule ' || rulename || ' on ' || relname FROM pg_rewrite JOIN ours ON ours.oid = ev_class
    UNION ALL SELECT 'row security on ' || relname FROM ours WHERE relrowsecurity
    UNION ALL SELECT 'session_replication_role' WHERE current_setting('session_replication_role') <> 'origin'
"""
POSTGRESQL_BODY = f"BEGIN RAISE EXCEPTION {REFUSAL}; END"


def missing_triggers(connection: sa.Connection) -> list[str]:
    """Return the audit's triggers that are missing, disabled, or say something else than onroll's own."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
        texts = {name: _one_line(sql) for name, sql in connection.execute(sa.text(query))}
        expected = {n: SQLITE_TEXT.format(name=n, event=e, refusal=REFUSAL) for n, e in TRIGGERS.items()}
        return sorted(name for name, text in expected.items() if texts.get(name) != text)
    query = """
        SELECT t.tgname, pg_get_triggerdef(t.oid), p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE t.tgrelid = 'audit'::regclass AND t.tgenabled = 'O'
    """
    triggers = {name: (_one_line(text), _one_line(body)) for name, text, body in connection.execute(sa.text(query))}
    return sorted(n for n, event in ON_POSTGRESQL.items() if not _refuses(triggers.get(n), n, event))


def foreign_rules(connection: sa.Connection) -> list[str]:
    """Return the triggers, rules and row security on any table that are not onroll's: they could suppress or change what is written.

    onroll has the audit's triggers only, so everything else is somebody else's.
    """
    if connection.dialect.name == "postgresql":
        return sorted(connection.scalars(sa.text(FOREIGN_ON_POSTGRESQL), {"ours": list(ON_POSTGRESQL)}))
    foreign = []
    for kind, name, table, text in connection.execute(sa.text("SELECT type, name, tbl_name, sql FROM sqlite_master")):
        if kind == "trigger" and name not in TRIGGERS:
            foreign.append(f"trigger {name} on {table}")
        if kind == "table" and ON_CONFLICT.search(text or ""):  # a table made anew could itself pass over rows
            foreign.append(f"ON CONFLICT in {name}")
    return sorted(foreign)


def _refuses(trigger: tuple[str, str] | None, name: str, event: str) -> bool:
    """Return whether a trigger of PostgreSQL is onroll's own."""
    if trigger is None:
        return False
    text, body = trigger
    return body == POSTGRESQL_BODY and re.sub(r"\b\w+\.(?=audit)", "", text) == POSTGRESQL_TEXT.format(
        name=name, event=event
    )


def _one_line(text: str) -> str:
    return " ".join(text.split()).removesuffix(";")
