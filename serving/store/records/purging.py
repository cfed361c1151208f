"""Removing erased rows from the database's files too, and from what PostgreSQL remembers of them as statistics."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from serving.store import database
from serving.store.records.places import BY_CASE, BY_PUPIL

READ_MEANWHILE = (
    "The database's files still hold what was removed, since another program reads it."
    "\n    Stop what reads the database (the service, other commands), and run this command again."
)
BY_OWNER = "Let the owner of the tables run 'onroll database purge'."
READERS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND backend_xmin IS NOT NULL AND pid <> pg_backend_pid()"
)
SAMPLED = """
    SELECT quote_ident(a.attname), format_type(a.atttypid, a.atttypmod) FROM pg_attribute a JOIN pg_stats s
        ON s.schemaname = current_schema() AND s.tablename = :name AND s.attname = a.attname
    WHERE a.attrelid = to_regclass(:name) AND a.attnum > 0 AND NOT a.attisdropped
"""


def purge_files(engine: sa.Engine) -> str:
    """Remove erased rows from the files too: SQLite's write-ahead log and PostgreSQL's dead rows still hold them.

    PostgreSQL writes each table that can name a child anew, with its indexes, and samples it again, while nobody else can use that
    table: a plain VACUUM frees the space of a row and leaves its bytes there, and statistics keep sampled values.

    Returns
    -------
    str
        Why the files may still hold them and what to do, or "". It waits for readers as long as for writers, then gives up.
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
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as autocommit:
        autocommit.exec_driver_sql(f"SET lock_timeout = '{database.PATIENCE}s'")
        try:
            return _written_anew(autocommit)
        except sa.exc.OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != "55P03":  # lock_not_available
                raise
            return READ_MEANWHILE
        finally:
            autocommit.exec_driver_sql("RESET lock_timeout")


def _written_anew(connection: sa.Connection) -> str:
    names = [table.__tablename__ for table in (*BY_PUPIL, *BY_CASE)]
    owns, may = _rights(connection, names)
    if not may:
        return f"This account may not purge the database's files.\n    {BY_OWNER}"
    readers = connection.exec_driver_sql(READERS).scalar_one()
    for name in names:
        connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {name}")
    if not owns:
        return f"The tables are purged; the server's statistics of them may still hold sampled values.\n    {BY_OWNER}"
    for name in names:
        _forget_samples(connection, name)
    connection.exec_driver_sql("VACUUM (FULL) pg_statistic")
    return READ_MEANWHILE if readers else ""


def _forget_samples(connection: sa.Connection, name: str) -> None:
    """Remove what is remembered of an empty table: ANALYZE keeps it. A column that gets its own type again has no statistics."""
    if connection.scalar(sa.text(f"SELECT EXISTS (SELECT FROM {name})")):  # nosec B608 # a name of our own
        return
    columns = connection.execute(sa.text(SAMPLED), {"name": name}).all()
    if columns:
        again = ", ".join(f"ALTER COLUMN {column} TYPE {kind}" for column, kind in columns)
        connection.exec_driver_sql(f"ALTER TABLE {name} {again}")


def _rights(connection: sa.Connection, names: list[str]) -> tuple[bool, bool]:
    """Return whether this account owns tables and database, and whether PostgreSQL would vacuum the tables for it."""
    query: Any = """
        SELECT bool_and(pg_has_role(tableowner, 'USAGE')) AND (
            SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()
        ) FROM pg_tables WHERE schemaname = current_schema() AND tablename = ANY (:names)
    """
    owns = bool(connection.scalar(sa.text(query), {"names": names}))
    if owns or (connection.dialect.server_version_info or (0,)) < (17,):
        return owns, owns
    maintain = "SELECT bool_and(has_table_privilege(name, 'MAINTAIN')) FROM unnest(:names) AS name"
    return owns, bool(connection.scalar(sa.text(maintain), {"names": names}))
