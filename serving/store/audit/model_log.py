"""The registry's log in the audit: a command records the line that it writes, and only a recorded move of an alias serves.

The hashes of the log are not keyed: whoever can write its folder can append a line that verifies. The audit holds the hash of every
recorded line under its key, so the service takes over no other move, and records none itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from histories.errors import Faults
from histories.io.account import account
from histories.settings import Settings
from serving.store.audit.taken_back import SERVES, lost_by_log, must_not_be_withdrawn
from serving.store.caller import Caller, command_line
from serving.store.database import reading
from serving.store.ledger.believed import carries_its_code
from serving.store.ledger.details import details_of
from serving.store.ledger.entry import Entry
from serving.store.store import Store
from serving.store.tables import AuditEntry, CopiedLog
from serving.store.unit_of_work import Change, NotRecorded
from training.release.promotion_log import hashes
from training.release.releases import disagreements
from training.release.resolve import MOVES, UNRECORDED, Mismatch, Release, logged
from training.release.signature import is_signed

DETAILS = ("alias", "version", "before", "why", "at", "account", "bundle")
REFUSED, ACCEPTED = "model.refused_to_serve", "model.accepted"
SERVICE = Caller("service", "administrator", None)  # the service itself, as the caller of its audit entries
LOOK = (
    "Look at the lines: if nobody made them, keep the file as evidence and restore it from a backup. If a command was killed before it "
    "recorded them, or the model was trained on another machine, run 'onroll models accept'."
)


@dataclass(frozen=True, kw_only=True)
class AuditedLog:
    """A model's log beside what the audit holds of it.

    Attributes
    ----------
    lines : list
    hashes : list
        The hash of each line.
    recorded : int
        The audit vouches for so many lines: the chain ties all before the newest recorded one to it.
    copied : int
        So many lines were copied into the audit, some perhaps from before lines had a hash.
    where : str
    """

    lines: list[dict[str, Any]]
    hashes: list[str]
    recorded: int
    copied: int
    where: str

    @property
    def known(self) -> int:
        """Where the new lines begin; the number of copied lines is not under the audit's key."""
        return self.recorded or self.copied

    def must_be_recorded(self, until: int, public_keys: bytes | None) -> None:
        """Raise ``Mismatch`` if a line before ``until`` moves an alias and is neither recorded nor signed; an audit may begin with a log."""
        if not self.known:
            return
        wrong = [n for n in range(self.known, until) if self.lines[n].get("alias") and not self._signed(n, public_keys)]
        if wrong:
            which = ", ".join(str(n + 1) for n in wrong)
            raise Mismatch(UNRECORDED, "no command recorded these moves of an alias", f"{self.where}, {which}", LOOK)

    def _signed(self, n: int, public_keys: bytes | None) -> bool:
        line = self.lines[n]
        return public_keys is not None and is_signed(line.get("hash", ""), line.get("signature", ""), public_keys)


def record(settings: Settings, name: str, line: Mapping[str, Any]) -> None:
    """Record a line that this command has written; see ``record_line``."""
    record_line(Store.of(settings), settings.releases, name, line, settings.verify_keys)


def record_line(
    store: Store, releases: Path, name: str, line: Mapping[str, Any], public_keys: bytes | None = None
) -> None:
    """Record a line of a log, with the lines before it that move no alias.

    Raises
    ------
    Mismatch
        If the audit contradicts the log, or somebody else's move of an alias stands before the line.
    """
    with suppress(NotRecorded), store.change(command_line()) as change:
        store.chain.lock(change.connection)
        audited = _audited(store, change.connection, name, releases)
        if line["hash"] not in audited.hashes:
            raise Mismatch("log_not_in_audit", "the promotion log has lost the line of this command", audited.where)
        end = audited.hashes.index(line["hash"])
        audited.must_be_recorded(end, public_keys)
        _copy(change, name, audited, end + 1)


def accept(settings: Settings, name: str, *, who: str, why: str) -> list[dict[str, Any]]:
    """Record every line of a log on a person's word, and return the new ones.

    Raises
    ------
    Faults
        If an alias or a folder disagrees with the log, or the log with the audit.
    """
    store = Store.of(settings)
    if wrong := disagreements(settings.releases, name, settings.verify_keys):
        raise Faults(wrong)
    with store.change(command_line()) as change:
        store.chain.lock(change.connection)
        audited = _audited(store, change.connection, name, settings.releases)
        _copy(change, name, audited, len(audited.lines))
        end = audited.hashes[-1] if audited.hashes else None
        change.record(ACCEPTED, model=name, by=who, why=why, account=account(), lines=len(audited.lines), hash=end)
    return audited.lines[audited.known :]


def check_where_audited(settings: Settings, name: str) -> None:
    """Compare a log with the audit, if this machine has one; a command does so before it adds a line, which would legitimise the others.

    Raises
    ------
    Mismatch
        When the log has lost the newest line that the audit holds, that entry was changed, or nobody recorded a move.
    """
    if not has_store(settings):
        return
    store = Store.of(settings)
    with reading(store.engine) as connection:
        audited = _audited(store, connection, name, settings.releases)
    audited.must_be_recorded(len(audited.lines), settings.verify_keys)


def check_release_where_audited(settings: Settings, release: Release) -> None:
    """Check a release by the audit, if this machine has one; raises like ``check_release``."""
    if has_store(settings):
        check_release(Store.of(settings), settings.releases, release)


def check_release(store: Store, releases: Path, release: Release) -> None:
    """Check that the audit agrees with a release's log and holds the move of its alias, unless that is signed.

    Raises
    ------
    Withdrawn
        When a folder, which no alias names, holds a version whose withdrawal the audit still knows.
    Mismatch
        When it does not. The kind ``UNRECORDED`` may pass: a command records its line within seconds.
    """
    if not release.alias:
        must_not_be_withdrawn(store.engine, releases, release)
        return
    with reading(store.engine) as connection:
        audited = _audited(store, connection, release.name, releases)
    if release.version in lost_by_log(store.engine, release.name, audited.lines):
        raise Mismatch(
            "log_not_in_audit", "the promotion log has lost a withdrawal that the audit holds", audited.where
        )
    if not release.signed and release.move not in audited.hashes[: audited.recorded]:
        raise Mismatch(UNRECORDED, "no command recorded the move of the alias in the audit", audited.where, LOOK)


def record_take_over(store: Store, release: Release) -> None:
    """Record that the service takes over a version, with the digest that it loaded and the line that moved the alias."""
    store.note(
        SERVICE,
        SERVES,
        model=release.name,
        alias=release.alias or None,
        version=release.version,
        bundle=release.bundle,
        lines=release.lines,
        hash=release.move or None,
    )


def record_refusal(store: Store, model: str, code: str) -> None:
    """Record that the service refuses what an alias names."""
    store.note(SERVICE, REFUSED, model=model, reason=code)


def has_store(settings: Settings) -> bool:
    """Return whether this machine has a store: a database that a URL names, or the file of one."""
    url = sa.make_url(settings.database_url)
    return url.get_backend_name() != "sqlite" or bool(url.database and Path(url.database).is_file())


def _audited(store: Store, connection: sa.Connection, name: str, releases: Path) -> AuditedLog:
    file = releases / name / MOVES
    lines, known = logged(releases, name), hashes(file)
    recorded = _recorded(store, connection, name, known, str(file))
    copied = connection.scalar(sa.select(CopiedLog.lines).where(CopiedLog.source == name)) or 0
    return AuditedLog(lines=lines, hashes=known, recorded=recorded, copied=copied, where=str(file))


def _recorded(store: Store, connection: sa.Connection, name: str, known: Sequence[str], where: str) -> int:
    """Return how many lines of a log the audit vouches for; a take-over proves that a line was there, not that a command wrote it."""
    query = sa.select(AuditEntry.__table__).where(AuditEntry.action.startswith("model."))
    taken_over = False
    for row in connection.execute(
        query.order_by(AuditEntry.seq.desc()), execution_options={"yield_per": 50}
    ).mappings():
        details = details_of(row["details"])
        of_service = row["action"] in (SERVES, REFUSED)
        other = details.get("model") != name or not details.get("hash") or (of_service and taken_over)
        if details and other:
            continue
        before = connection.scalar(sa.select(AuditEntry.mac).where(AuditEntry.seq == row["seq"] - 1))
        if not details or not carries_its_code(connection, store.chain, row, before):
            raise Mismatch(
                "audit_changed", "the audit's entry about this log was changed", f"audit, entry {row['seq']}"
            )
        if details["hash"] not in known:
            raise Mismatch("log_not_in_audit", "the promotion log is not the one that the audit holds", where)
        if not of_service:
            return known.index(details["hash"]) + 1
        taken_over = True
    return 0


def _copy(change: Change, name: str, audited: AuditedLog, until: int) -> None:
    for n in range(audited.known, until):
        line = audited.lines[n]
        details = {"model": name, **{k: line.get(k) for k in DETAILS}, "hash": audited.hashes[n]}
        failed = [verdict["code"] for verdict in line.get("gates", ()) if not verdict["passed"]]
        details |= {"failed": failed} if failed else {}
        change.entries.append(
            Entry(
                who=f"registry:{line.get('by', 'unknown')}"[:200],
                role="administrator",
                authority=None,
                action=f"model.{line.get('action', 'moved').replace(' ', '_')}",
                pupils=(),
                details=details,
                request_id=change.request_id,
            )
        )
    if until > audited.known:
        change.connection.execute(sa.delete(CopiedLog).where(CopiedLog.source == name))
        change.connection.execute(sa.insert(CopiedLog), {"source": name, "lines": until})
