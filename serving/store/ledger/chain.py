"""The audit's hash chain: each entry's HMAC covers the entry and the HMAC of the entry before it.

Without the key, nobody can change, remove or insert a row without breaking the chain at that row. A chain cannot show that its
last rows are missing, so its end is anchored elsewhere every few minutes (``anchors``).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from histories.errors import Fault
from serving.store.database import Unavailable
from serving.store.ledger.details import details_of
from serving.store.ledger.entry import REKEYED, SIGNED, End, Entry
from serving.store.ledger.keys import AuditKeys
from serving.store.tables import AuditEntry

LOCK = 0x6175646974  # id of the PostgreSQL advisory lock held while appending

LAST = sa.select(AuditEntry.seq, AuditEntry.mac).order_by(AuditEntry.seq.desc()).limit(1)
NEWEST_TWO = sa.select(AuditEntry.__table__).order_by(AuditEntry.seq.desc()).limit(2)
SINCE = sa.select(AuditEntry.mac).where(AuditEntry.seq > sa.bindparam("before")).order_by(AuditEntry.seq)
KEY_CHANGES = (
    sa.select(AuditEntry.__table__)
    .where(AuditEntry.seq > sa.bindparam("after"), AuditEntry.action == REKEYED)
    .order_by(AuditEntry.seq.desc())
)


class ChainKey:
    """One audit key: it computes the codes of entries and the references of pupils.

    Parameters
    ----------
    key : bytes
        A holder of the key can forge entries, and can tell which pupil a reference belongs to.
    """

    def __init__(self, key: bytes) -> None:
        self._codes = hmac.digest(key, b"onroll audit chain", "sha256")
        self._names = hmac.digest(key, b"onroll audit pupils", "sha256")
        self.sign_in = hmac.digest(key, b"onroll sign-in", "sha256")  # of attempts to sign in (serving.access.attempt)
        self.fingerprint = hmac.digest(key, b"onroll audit key", "sha256")[:8].hex()

    def reference(self, pupil_id: str) -> str:
        """Return a pupil's reference: stable under one key, and not traceable without it."""
        return hmac.digest(self._names, pupil_id.encode(), "sha256")[:12].hex()

    def code(self, before: str, row: Any) -> str:
        """Return the code of a row (a mapping) that follows an entry with the code ``before``."""
        signed = json.dumps([before, *(row[name] for name in SIGNED)], separators=(",", ":"))
        return hmac.new(self._codes, signed.encode(), hashlib.sha256).hexdigest()


class Chain:
    """Appends entries under the key that the chain itself names as current.

    An entry made with the old key names the next one (``serving.store.audit.rotation``). A process that reads such an entry
    from another process takes the named key from the key file. It appends nothing more if the key is not there.

    Parameters
    ----------
    keys : AuditKeys

    Attributes
    ----------
    links : list of ChainKey
        The keys of the file, oldest first.
    current : ChainKey
        The key of the next entry, as far as this process knows.
    """

    def __init__(self, keys: AuditKeys) -> None:
        self.keys = keys
        self.reload()
        self.current = self.links[-1]
        self._caught_up_to: int | None = None

    def reload(self) -> None:
        """Read the keys from their file again."""
        self.links = [ChainKey(key) for key in self.keys.read()]

    def reference(self, pupil_id: str) -> str:
        """Return a pupil's reference under the current key."""
        return self.current.reference(pupil_id)

    def references(self, pupil_id: str) -> list[str]:
        """Return a pupil's references under every key, current and past."""
        return [link.reference(pupil_id) for link in self.links]

    def named(self, fingerprint: str) -> ChainKey | None:
        """Return the key with a fingerprint, reading the key file again when it is not known yet."""
        if not self._has(fingerprint):
            self.reload()
        return next((link for link in self.links if link.fingerprint == fingerprint), None)

    def _has(self, fingerprint: str) -> bool:
        return any(link.fingerprint == fingerprint for link in self.links)

    def lock(self, connection: sa.Connection) -> None:
        """Block other processes from appending until the transaction ends; SQLite has a single writer anyway."""
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))

    def append(self, connection: sa.Connection, entries: Iterable[Entry]) -> End:
        """Append entries as the last step of a writing transaction; others wait to append until it commits.

        Raises
        ------
        Unavailable
            When the database did not keep an entry as it was made: a trigger, a rule or row security suppressed it.
        """
        self.lock(connection)
        last = self.catch_up(connection)
        seq, mac = (last.seq, last.mac) if last else (0, "")
        before = seq
        at, rows = datetime.now(UTC).isoformat(timespec="milliseconds"), []
        for entry in entries:
            seq += 1
            row = {
                "seq": seq,
                "at": at,
                "who": entry.who,
                "role": entry.role,
                "authority": entry.authority,
                "action": entry.action,
                "pupils": _compact(list(entry.pupils)),
                "details": _compact(entry.details),
                "request_id": entry.request_id,
            }
            mac = self.current.code(mac, row)
            rows.append({**row, "mac": mac})
        connection.execute(sa.insert(AuditEntry), rows)
        if connection.scalars(SINCE, {"before": before}).all() != [row["mac"] for row in rows]:
            do = "Run 'onroll audit verify', and remove what is not onroll's from the database."
            raise Unavailable(Fault("the database did not keep an entry of the audit", "audit", do))
        return End(seq, mac, at)

    def catch_up(self, connection: sa.Connection) -> Any:
        """Find the current key from entries that others appended; return the last entry's ``seq`` and ``mac``, or None.

        Raises
        ------
        Unavailable
            When the chain names a key that is not in the key file.
        """
        last = connection.execute(LAST).one_or_none()
        if last is None:
            return None
        if self._caught_up_to is None:
            self._find_key_of_last_entry(connection)
            self._caught_up_to = last.seq - 1
        change = self._newest_change(connection, self._caught_up_to)
        if change:
            key = self.named(change)
            if key is None:
                do = "Let ONROLL_AUDIT_KEY_FILE name the file that has the new key, and restart."
                raise Unavailable(Fault("the audit's current key is not here", "ONROLL_AUDIT_KEY_FILE", do))
            self.current = key
        # Not up to the entries that this transaction appends: it may never commit.
        self._caught_up_to = last.seq
        return last

    def _newest_change(self, connection: sa.Connection, after: int) -> str:
        """Return the key that the newest entry names that carries a code; one that anybody put in would stop all others. "" if none does."""
        for row in connection.execute(KEY_CHANGES, {"after": after}).mappings():
            before = connection.scalar(sa.select(AuditEntry.mac).where(AuditEntry.seq == row["seq"] - 1)) or ""
            if any(link.code(before, row) == row["mac"] for link in self.links):
                return str(details_of(row["details"]).get("key"))
        return ""

    def _find_key_of_last_entry(self, connection: sa.Connection) -> None:
        newest = connection.execute(NEWEST_TWO).mappings().all()
        before = newest[1]["mac"] if len(newest) > 1 else ""
        if len(self.links) > 1:
            verifying = (link for link in self.links if link.code(before, newest[0]) == newest[0]["mac"])
            self.current = next(verifying, self.current)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), default=str)
