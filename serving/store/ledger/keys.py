"""The audit's keys: given in the settings, or created beside a SQLite database when it is first opened."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import sqlalchemy as sa

from histories.errors import Fault, Faults
from histories.io.private_files import readable_by_others, replace_secret, write_secret

MIN_LENGTH = 32  # characters


class AuditKeys:
    """The keys of an audit, oldest first; a key file has one per line, so that older entries still verify.

    Parameters
    ----------
    source : bytes or Path
        One fixed key, or the key file.
    """

    def __init__(self, source: bytes | Path) -> None:
        self.source = source

    def read(self) -> list[bytes]:
        """Read the keys.

        Raises
        ------
        Faults
            When one of them is too short, or there is none.
        """
        content = self.source if isinstance(self.source, bytes) else self.source.read_bytes()
        keys = [line.strip() for line in content.splitlines() if line.strip()]
        if not keys or any(len(key) < MIN_LENGTH for key in keys):
            do = f"Use at least {MIN_LENGTH} random characters, such as those of 'openssl rand -hex 32'."
            raise Faults(Fault("the audit's key is too short", "ONROLL_AUDIT_KEY", do))
        return keys

    def add(self) -> bytes:
        """Add a new key to the file atomically, and return it.

        Raises
        ------
        Faults
            When the key is not in a file.
        """
        if isinstance(self.source, bytes):
            do = "Put the key into a file, set ONROLL_AUDIT_KEY_FILE to it, and unset ONROLL_AUDIT_KEY."
            raise Faults(Fault("a key that is not in a file cannot be rotated", "ONROLL_AUDIT_KEY", do))
        key = secrets.token_hex(32).encode()
        replace_secret(self.source, b"\n".join([*self.read(), key, b""]))
        return key


def audit_keys(url: sa.URL, configured: bytes | Path | None) -> AuditKeys:
    """Return the audit keys of a database.

    Raises
    ------
    Faults
        If none is configured and the database is not a SQLite file, which would get a key file.
    """
    if configured is not None:
        return AuditKeys(configured)
    if url.get_backend_name() != "sqlite" or not url.database:
        do = "Put 'openssl rand -hex 32' into a file that only the service can read, and set ONROLL_AUDIT_KEY_FILE to it."
        raise Faults(Fault("this database needs a key for its audit", "ONROLL_AUDIT_KEY_FILE", do))
    file = _key_file(Path(url.database))
    if fault := readable_by_others(file):
        raise Faults(fault)
    return AuditKeys(file)


def _key_file(database: Path) -> Path:
    """Return the key file beside a database; the first process creates it atomically."""
    file = companion(database, "audit-key")
    if not file.exists():
        temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        write_secret(temporary, secrets.token_hex(32).encode())
        try:
            os.link(temporary, file)  # fails instead of overwriting if another process was first
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return file


def companion(database: Path, what: str) -> Path:
    """Return the path of a file that belongs to a SQLite database.

    Examples
    --------
    >>> companion(Path("onroll.db"), "audit-key").name
    'onroll.audit-key'
    """
    return database.with_name(f"{database.stem}.{what}")


def private(database: Path) -> None:
    """Create the file of a new database readable by its owner only; SQLite gives its other files the same mode."""
    try:
        database.touch(mode=0o600)
    except OSError as error:
        raise Faults(
            Fault("the database cannot be opened", "ONROLL_DATABASE_URL", "Name a file in an existing folder.")
        ) from error
