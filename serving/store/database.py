"""Opening the database: SQLite in WAL mode by default, or PostgreSQL by its URL."""

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
CONNECTIONS = 20  # per process: it never answers more requests at once


class Unavailable(Faults):
    """The database does not answer, is locked, or its disk is full: try again later."""


def open_engine(url: str) -> sa.Engine:
    """Return an engine for a URL.

    Raises
    ------
    Faults
        When the URL is not that of a database.
    """
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        # hide_parameters keeps pupils' values out of logged errors. A server may drop a connection (pre-ping); a file cannot.
        engine = sa.create_engine(
            url,
            pool_pre_ping=not url.startswith("sqlite"),
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=PATIENCE,
            hide_parameters=True,
            pool_use_lifo=True,  # reuse few connections, since each has its own cache
        )
    except (sa.exc.SQLAlchemyError, ImportError, TypeError) as error:
        raise Faults(cannot_open()) from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def cannot_open() -> Fault:
    """Return the fault of a database that cannot be opened."""
    do = "Check the address and that the server runs."
    return Fault("the database cannot be opened", "ONROLL_DATABASE_URL", do)


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection that reads one state of the database."""
    with _translated_errors(), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection in a transaction, committed unless an error is raised; SQLite allows one writer at a time."""
    with _translated_errors(), engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def copy(engine: sa.Engine, out: Path) -> None:
    """Copy a SQLite database, as of one moment, into a new file that only its owner can read.

    Raises
    ------
    Usage
        When it is not SQLite.
    """
    if engine.dialect.name != "sqlite":
        raise Usage(
            Fault("only SQLite can be copied this way", "ONROLL_DATABASE_URL", "Use pg_dump; see docs/operations.md.")
        )
    out.touch(mode=0o600)
    with _translated_errors(), engine.connect() as connection, closing(sqlite3.connect(out)) as target:
        driver: Any = connection.connection.driver_connection
        driver.backup(target)


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError):
        # The driver's message may hold a pupil's values.
        do = "Try again; if it stays, look at the database's disk and server."
        raise Unavailable(Fault("the database does not answer", "ONROLL_DATABASE_URL", do)) from None


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes late, and never before DDL
    _keep_wal(connection)
    for pragma in (
        "synchronous = FULL",  # a commit survives a power cut
        f"busy_timeout = {PATIENCE * 1000}",
        "foreign_keys = ON",
        "secure_delete = ON",  # erased rows are overwritten in the file
        "cache_size = -16000",
        "analysis_limit = 1000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _keep_wal(connection: Any) -> None:
    """Set WAL mode; on a new file SQLite refuses one of two concurrent requests whatever the busy timeout, so retry."""
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
    # A transaction that turns from reader to writer can be refused; writers lock at once.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
