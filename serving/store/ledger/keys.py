"""The key of the audit: named by the settings, or made beside a SQLite database the first time it is opened."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import sqlalchemy as sa

from histories.errors import Fault, Faults

SHORTEST = 32  # characters


class AuditKeys:
    """The keys of an audit, the oldest first; a file holds one a line, so that what older ones made still verifies.

    Parameters
    ----------
    given : bytes or Path
        One key that does not change, or the file.
    """

    def __init__(self, given: bytes | Path) -> None:
        self.given = given

    def read(self) -> list[bytes]:
        """Return the keys as they are now.

        Raises
        ------
        Faults
            When one of them is short, or there is none.
        """
        held = self.given if isinstance(self.given, bytes) else self.given.read_bytes()
        keys = [line.strip() for line in held.splitlines() if line.strip()]
        if not keys or any(len(key) < SHORTEST for key in keys):
            do = f"Give at least {SHORTEST} random characters, such as 'openssl rand -hex 32' makes."
            raise Faults(Fault("the audit's key is short enough to be guessed", "ONROLL_AUDIT_KEY", do))
        return keys

    def add(self) -> bytes:
        """Make a key and add it to the file, which is whole at every moment; return the key.

        Raises
        ------
        Faults
            When the key is not in a file.
        """
        if isinstance(self.given, bytes):
            do = "Put the key into a file, name it by ONROLL_AUDIT_KEY_FILE, and take ONROLL_AUDIT_KEY away."
            raise Faults(Fault("a key that is not in a file cannot be rotated", "ONROLL_AUDIT_KEY", do))
        made, there = secrets.token_hex(32).encode(), self.given.stat()
        beside = self.given.with_name(f".{self.given.name}.{secrets.token_hex(4)}")
        _write(beside, b"\n".join([*self.read(), made, b""]))
        beside.chmod(there.st_mode & 0o777)
        if os.geteuid() == 0:
            os.chown(beside, there.st_uid, there.st_gid)  # root rotates it, and the service still has to read it
        beside.replace(self.given)
        return made


def audit_keys(url: sa.URL, given: bytes | Path | None) -> AuditKeys:
    """Return the keys for a database.

    Raises
    ------
    Faults
        When none is given for a database that has no file to put one beside.
    """
    if given is not None:
        return AuditKeys(given)
    if url.get_backend_name() != "sqlite" or not url.database:
        do = "Put 'openssl rand -hex 32' into a file that only the service can read, and name it by ONROLL_AUDIT_KEY_FILE."
        raise Faults(Fault("this database needs a key for its audit", "ONROLL_AUDIT_KEY_FILE", do))
    return AuditKeys(_beside(Path(url.database)))


def _write(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _beside(database: Path) -> Path:
    """Return the file with the key beside a database, made whole by whoever comes first."""
    file = beside(database, "audit-key")
    if not file.exists():
        made = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        _write(made, secrets.token_hex(32).encode())
        try:
            os.link(made, file)  # fails when another process was first, and does not overwrite its key
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return file


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
