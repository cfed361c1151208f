"""The audit's chain: every entry's code is made with a key from the entry and from the code of the one before.

Whoever changes, removes or inserts a row without the key breaks the chain at that row. That the last rows are missing a chain
cannot show; for that its end is written to a file every day (``anchors``).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from serving.store.tables import AuditEntry

LOCK = 0x6175646974  # PostgreSQL's advisory lock of whoever appends
SIGNED = ("seq", "at", "who", "role", "authority", "action", "pupils", "details", "request_id")


@dataclass(frozen=True)
class Entry:
    """What is to be recorded: who did what to how many pupils, named by their keyed references only."""

    who: str
    role: str
    authority: str | None
    action: str
    pupils: Sequence[str]
    details: dict[str, Any]
    request_id: str | None = None


@dataclass(frozen=True)
class End:
    """The end of a chain."""

    seq: int
    mac: str
    at: str


class Chain:
    """Makes and checks the codes of entries, and the references of pupils.

    Parameters
    ----------
    key : bytes
        Whoever holds it can make entries that verify, and tell which reference is whose.
    """

    def __init__(self, key: bytes) -> None:
        self._codes = hmac.digest(key, b"onroll audit chain", "sha256")
        self._names = hmac.digest(key, b"onroll audit pupils", "sha256")

    def reference(self, pupil_id: str) -> str:
        """Return the reference of a pupil: always the same, and without the key nobody's."""
        return hmac.digest(self._names, pupil_id.encode(), "sha256")[:12].hex()

    def code(self, before: str, row: Any) -> str:
        """Return the code of a row (a mapping) that follows a code."""
        signed = json.dumps([before, *(row[name] for name in SIGNED)], separators=(",", ":"))
        return hmac.new(self._codes, signed.encode(), hashlib.sha256).hexdigest()

    def lock(self, connection: sa.Connection) -> None:
        """Let nobody else append until the transaction ends; SQLite lets only one writer in anyway."""
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))

    def append(self, connection: sa.Connection, entries: Iterable[Entry]) -> End:
        """Append entries as the last thing of a transaction that writes; appends of others wait until it is committed."""
        self.lock(connection)
        last = connection.execute(LAST).one_or_none()
        seq, mac = (last.seq, last.mac) if last else (0, "")
        at, rows = datetime.now(UTC).isoformat(timespec="milliseconds"), []
        for e in entries:
            seq += 1
            row = {
                "seq": seq, "at": at, "who": e.who, "role": e.role, "authority": e.authority, "action": e.action,
                "pupils": _compact(list(e.pupils)), "details": _compact(e.details), "request_id": e.request_id,
            }  # fmt: skip
            mac = self.code(mac, row)
            rows.append({**row, "mac": mac})
        connection.execute(sa.insert(AuditEntry), rows)
        return End(seq, mac, at)


LAST = sa.select(AuditEntry.seq, AuditEntry.mac).order_by(AuditEntry.seq.desc()).limit(1)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), default=str)
