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
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from histories.errors import Fault
from serving.store.database import Unavailable
from serving.store.ledger.keys import AuditKeys
from serving.store.tables import AuditEntry

if TYPE_CHECKING:
    from serving.store.unit_of_work import Change

LOCK = 0x6175646974  # PostgreSQL's advisory lock of whoever appends
REKEYED = "audit.key_changed"
SIGNED = ("seq", "at", "who", "role", "authority", "action", "pupils", "details", "request_id")


@dataclass(frozen=True, kw_only=True)
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


class ChainKey:
    """What is made with one key: the codes of entries, and the references of pupils.

    Parameters
    ----------
    key : bytes
        Whoever holds it can make entries that verify, and tell which reference is whose.
    """

    def __init__(self, key: bytes) -> None:
        self._codes = hmac.digest(key, b"onroll audit chain", "sha256")
        self._names = hmac.digest(key, b"onroll audit pupils", "sha256")
        self.fingerprint = hmac.digest(key, b"onroll audit key", "sha256")[:8].hex()

    def reference(self, pupil_id: str) -> str:
        """Return the reference of a pupil: with one key always the same, and without it nobody's."""
        return hmac.digest(self._names, pupil_id.encode(), "sha256")[:12].hex()

    def code(self, before: str, row: Any) -> str:
        """Return the code of a row (a mapping) that follows a code."""
        signed = json.dumps([before, *(row[name] for name in SIGNED)], separators=(",", ":"))
        return hmac.new(self._codes, signed.encode(), hashlib.sha256).hexdigest()


class Chain:
    """Appends entries with the key that the chain itself says is in use.

    The chain names the next key in an entry of its own, made with the key before. A process that finds such an entry among those
    that others appended takes the named key from the file, and records nothing more when it is not there.

    Parameters
    ----------
    keys : AuditKeys

    Attributes
    ----------
    current : ChainKey
        What the next entry is made with, as far as this process knows.
    """

    def __init__(self, keys: AuditKeys) -> None:
        self.keys = keys
        self.links = [ChainKey(key) for key in keys.read()]
        self.current = self.links[-1]
        self._looked_to: int | None = None

    def reference(self, pupil_id: str) -> str:
        """Return the reference of a pupil in entries that are made now."""
        return self.current.reference(pupil_id)

    def references(self, pupil_id: str) -> list[str]:
        """Return the references that a pupil has had, by every key."""
        return [link.reference(pupil_id) for link in self.links]

    def named(self, fingerprint: str) -> ChainKey | None:
        """Return the link of a key by its fingerprint, from the file as it is now."""
        found = next((link for link in self.links if link.fingerprint == fingerprint), None)
        if found is None:
            self.links = [ChainKey(key) for key in self.keys.read()]
            found = next((link for link in self.links if link.fingerprint == fingerprint), None)
        return found

    def rotate(self, change: Change) -> str:
        """Name the next key in a change, having put it into the file; return its fingerprint.

        A key that is in the file and was not named yet, since this was broken off before, is taken first.

        Raises
        ------
        Faults
            When the key is not in a file.
        """
        self.lock(change.connection)
        self._settle(change.connection, change.connection.execute(LAST).one_or_none())
        self.links = [ChainKey(key) for key in self.keys.read()]
        if self.links[-1].fingerprint == self.current.fingerprint:
            self.links.append(ChainKey(self.keys.add()))
        change.record(REKEYED, key=self.links[-1].fingerprint)
        return self.links[-1].fingerprint

    def lock(self, connection: sa.Connection) -> None:
        """Let nobody else append until the transaction ends; SQLite lets only one writer in anyway."""
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))

    def append(self, connection: sa.Connection, entries: Iterable[Entry]) -> End:
        """Append entries as the last thing of a transaction that writes; appends of others wait until it is committed."""
        self.lock(connection)
        last = connection.execute(LAST).one_or_none()
        self._settle(connection, last)
        seq, mac = (last.seq, last.mac) if last else (0, "")
        at, rows = datetime.now(UTC).isoformat(timespec="milliseconds"), []
        for e in entries:
            seq += 1
            row = {
                "seq": seq,
                "at": at,
                "who": e.who,
                "role": e.role,
                "authority": e.authority,
                "action": e.action,
                "pupils": _compact(list(e.pupils)),
                "details": _compact(e.details),
                "request_id": e.request_id,
            }
            mac = self.current.code(mac, row)
            rows.append({**row, "mac": mac})
        connection.execute(sa.insert(AuditEntry), rows)
        return End(seq, mac, at)

    def _settle(self, connection: sa.Connection, last: Any) -> None:
        """Find out which key is in use: by the last entry at first, then by what others have appended since."""
        if last is None:
            return
        if self._looked_to is None:
            two = connection.execute(NEWEST).mappings().all()
            before = two[1]["mac"] if len(two) > 1 else ""
            if len(self.links) > 1:
                self.current = next((x for x in self.links if x.code(before, two[0]) == two[0]["mac"]), self.current)
            self._looked_to = last.seq - 1
        told = connection.scalars(NAMED, {"after": self._looked_to}).all()
        if told:
            fingerprint = json.loads(told[-1])["key"]
            found = self.named(fingerprint)
            if found is None:
                do = "Let ONROLL_AUDIT_KEY_FILE name the file to which the key was added, and start again."
                raise Unavailable(Fault("the audit goes on with a key that is not here", "ONROLL_AUDIT_KEY_FILE", do))
            self.current = found
        # Not to where this appends to: that may never be committed.
        self._looked_to = last.seq


LAST = sa.select(AuditEntry.seq, AuditEntry.mac).order_by(AuditEntry.seq.desc()).limit(1)
NEWEST = sa.select(AuditEntry.__table__).order_by(AuditEntry.seq.desc()).limit(2)
NAMED = (
    sa.select(AuditEntry.details)
    .where(AuditEntry.seq > sa.bindparam("after"), AuditEntry.action == REKEYED)
    .order_by(AuditEntry.seq)
)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), default=str)
