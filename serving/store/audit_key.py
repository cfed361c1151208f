"""The key of the audit: named by the settings, or made beside a SQLite database the first time it is opened."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import sqlalchemy as sa

from histories.faults import Fault, Faults

SHORTEST = 32  # characters


def audit_key(url: sa.URL, given: bytes | None) -> bytes:
    """Return the key for a database.

    Raises
    ------
    Faults
        When it is short, or none is given for a database that has no file to put one beside.
    """
    if given is not None:
        if len(given) < SHORTEST:
            do = f"Give at least {SHORTEST} random characters, such as 'openssl rand -hex 32' makes."
            raise Faults(Fault("the audit's key is short enough to be guessed", "ONROLL_AUDIT_KEY", do))
        return given
    if url.get_backend_name() != "sqlite" or not url.database:
        do = "Put 'openssl rand -hex 32' into a file that only the service can read, and name it by ONROLL_AUDIT_KEY_FILE."
        raise Faults(Fault("this database needs a key for its audit", "ONROLL_AUDIT_KEY_FILE", do))
    return _beside(Path(url.database))


def _beside(database: Path) -> bytes:
    """Return the key beside a database, made whole by whoever comes first."""
    file = beside(database, "audit-key")
    if not file.exists():
        made = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as key:
            key.write(secrets.token_hex(32))
            key.flush()
            os.fsync(key.fileno())
        try:
            os.link(made, file)  # fails when another process was first, and does not overwrite its key
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return file.read_bytes().strip()


def beside(database: Path, what: str) -> Path:
    """Return the path of something that belongs to a SQLite database.

    Examples
    --------
    >>> beside(Path("onroll.db"), "audit-key").name
    'onroll.audit-key'
    """
    return database.with_name(f"{database.stem}.{what}")


def private(database: Path) -> None:
    """Make the file of a new database one that only its owner reads; SQLite gives its other files the same rights."""
    try:
        database.touch(mode=0o600)
    except OSError as error:
        raise Faults(
            Fault("the database cannot be opened", "ONROLL_DATABASE_URL", "Name a file in a folder that is there.")
        ) from error
