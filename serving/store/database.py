"""Opening the database: SQLite in WAL mode by default, PostgreSQL by its URL, and what each needs to be told."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from histories.errors import Fault, Faults, Usage

PATIENCE = 30  # seconds that a writer waits for another
CONNECTIONS = 20  # of one process: more requests than that are not in hand at once


class Unavailable(Faults):
    """The database does not answer, is locked, or its disk is full: try again later."""


def open_engine(url: str) -> sa.Engine:
    """Return an engine for a URL.

    Raises
    ------
    Faults
        When the URL cannot be one of a database.
    """
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        # An error of the database must not carry pupils' values into a log. A server may have ended a connection; a file cannot.
        engine = sa.create_engine(
            url,
            pool_pre_ping=not url.startswith("sqlite"),
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=PATIENCE,
            hide_parameters=True,
            pool_use_lifo=True,  # few connections at work, since each fills a cache of its own
        )
    except (sa.exc.SQLAlchemyError, ImportError, TypeError) as error:
        raise Faults(cannot_open()) from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def cannot_open() -> Fault:
    """Return what is said when the database cannot be opened."""
    do = "Check the address and that the server runs."
    return Fault("the database cannot be opened", "ONROLL_DATABASE_URL", do)


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection that sees one state of the database."""
    with _told(), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection in a transaction that is committed when all went well; SQLite lets one writer in at a time."""
    with _told(), engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def copy(engine: sa.Engine, out: Path) -> None:
    """Copy a SQLite database as it is at one moment into a new file that only its owner reads.

    Raises
    ------
    Usage
        When it is another database.
    """
    if engine.dialect.name != "sqlite":
        raise Usage(
            Fault("only SQLite is copied this way", "ONROLL_DATABASE_URL", "Use pg_dump; see docs/operations.md.")
        )
    out.touch(mode=0o600)
    with _told(), engine.connect() as connection, closing(sqlite3.connect(out)) as there:
        driver: Any = connection.connection.driver_connection
        driver.backup(there)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError):
        # The driver's own words may hold values.
        do = "Try again; if it stays, look at the database's disk and server."
        raise Unavailable(Fault("the database does not answer", "ONROLL_DATABASE_URL", do)) from None


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver would begin late, and not before a change of the schema
    _keep_wal(connection)
    for pragma in (
        "synchronous = FULL",  # what was acknowledged survives a power cut
        f"busy_timeout = {PATIENCE * 1000}",
        "foreign_keys = ON",
        "secure_delete = ON",  # what was erased is not left in the file
        "cache_size = -16000",
        "analysis_limit = 1000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _keep_wal(connection: Any) -> None:
    """Let a file keep its changes in a log; while it is new, SQLite refuses one of two that ask at once, however patient."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: sa.Connection) -> None:
    # A reader that becomes a writer could be refused; a writer says so at once.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
