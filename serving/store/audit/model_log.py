"""The registry's log in the audit: lines are copied, the log must agree with what was copied, and take-overs are recorded."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from histories.settings import Settings
from serving.store.caller import Caller, command_line
from serving.store.database import reading
from serving.store.ledger.entry import Entry
from serving.store.store import Store
from serving.store.tables import AuditEntry, CopiedLog
from serving.store.unit_of_work import NotRecorded
from training.release.resolve import MOVES, Mismatch, Release, logged

log = logging.getLogger("onroll.model")
# The line's hash is kept under the audit's key: rewriting the registry's log does not rewrite the audit.
DETAILS = ("alias", "version", "before", "why", "at", "account", "bundle", "hash")
SERVES, REFUSED = "model.serves", "model.refused_to_serve"
SERVICE = Caller("service", "administrator", None)  # the service itself, as the caller of its audit entries


def copy_moves(store: Store, releases: Path) -> int:
    """Copy the new lines of every model's log, each once, and return how many; a log that the audit contradicts is left out."""
    copied = 0
    for folder in sorted(releases.glob("*")):
        if folder.is_dir():
            try:
                copied += _copy_log(store, folder.name, releases)
            except Mismatch as mismatch:
                log.error("the log of model %s is not copied: %s", folder.name, mismatch.code)
    return copied


def check_log(store: Store, name: str, releases: Path) -> None:
    """Compare a model's log with the newest of its lines that the audit holds.

    The log's own chain ties every earlier line to that one, so a log that was rewritten or cut does not have it.

    Raises
    ------
    Mismatch
        When the log has lost that line, or the audit's entry of it was changed.
    """
    with reading(store.engine) as connection:
        _check_log(store, connection, name, logged(releases, name), releases)


def check_where_audited(settings: Settings, name: str) -> None:
    """Compare a model's log with the audit, if this machine has one; raises like ``check_log``."""
    url = sa.make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or (url.database and Path(url.database).is_file()):
        check_log(Store.of(settings), name, settings.releases)


def check_release(store: Store, releases: Path, release: Release) -> None:
    """Check that the audit agrees with the log of a release, which is then copied; see ``check_log``."""
    if release.alias:
        check_log(store, release.name, releases)
        copy_moves(store, releases)


def record_take_over(store: Store, release: Release) -> None:
    """Record that the service takes over a version, with the digest that it loaded and the end of its log."""
    store.note(
        SERVICE,
        SERVES,
        model=release.name,
        alias=release.alias or None,
        version=release.version,
        bundle=release.bundle,
        lines=release.lines,
        hash=release.head or None,
    )


def record_refusal(store: Store, model: str, code: str) -> None:
    """Record that the service refuses what an alias names."""
    store.note(SERVICE, REFUSED, model=model, reason=code)


def _check_log(store: Store, connection: sa.Connection, name: str, lines: list[dict[str, Any]], releases: Path) -> None:
    where = str(releases / name / MOVES)
    query = sa.select(AuditEntry.__table__).where(AuditEntry.action.startswith("model."))
    for row in connection.execute(
        query.order_by(AuditEntry.seq.desc()), execution_options={"yield_per": 50}
    ).mappings():
        details = json.loads(row["details"])
        if details.get("model") != name or not details.get("hash"):
            continue
        before = connection.scalar(sa.select(AuditEntry.mac).where(AuditEntry.seq == row["seq"] - 1))
        first = row["seq"] == 1 or before is not None  # after a pruning the entry before the first one is gone
        if first and not any(link.code(before or "", row) == row["mac"] for link in store.chain.links):
            raise Mismatch(
                "audit_changed", "the audit's entry about this log was changed", f"audit, entry {row['seq']}"
            )
        if not any(line.get("hash") == details["hash"] for line in lines):
            raise Mismatch("log_not_in_audit", "the promotion log is not the one that the audit holds", where)
        return


def _copy_log(store: Store, model: str, releases: Path) -> int:
    lines = logged(releases, model)
    source = sa.select(CopiedLog.lines).where(CopiedLog.source == model)
    with reading(store.engine) as connection:
        if (connection.scalar(source) or 0) >= len(lines):
            return 0
    with suppress(NotRecorded), store.change(command_line()) as change:
        store.chain.lock(change.connection)  # of two processes at once, the second finds nothing left to copy
        _check_log(store, change.connection, model, lines, releases)
        done = change.connection.scalar(source) or 0
        for move in lines[done:]:
            details = {"model": model, **{k: move.get(k) for k in DETAILS}}
            failed = [verdict["code"] for verdict in move.get("gates", ()) if not verdict["passed"]]
            details |= {"failed": failed} if failed else {}
            action = f"model.{move.get('action', 'moved').replace(' ', '_')}"
            who = f"registry:{move.get('by', 'unknown')}"[:200]
            change.entries.append(
                Entry(
                    who=who,
                    role="administrator",
                    authority=None,
                    action=action,
                    pupils=(),
                    details=details,
                    request_id=change.request_id,
                )
            )
        change.connection.execute(sa.delete(CopiedLog).where(CopiedLog.source == model))
        change.connection.execute(sa.insert(CopiedLog), {"source": model, "lines": len(lines)})
        return len(lines) - done
    return 0
