"""The registry's log in the audit: the registry works without a store, so its log is copied later."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from serving.store.caller import command_line
from serving.store.database import reading
from serving.store.ledger.entry import Entry
from serving.store.store import Store
from serving.store.tables import CopiedLog
from serving.store.unit_of_work import NotRecorded
from training.release.resolve import logged

# The line's hash is kept under the audit's key: rewriting the registry's log does not rewrite the audit.
DETAILS = ("alias", "version", "before", "why", "at", "account", "bundle", "hash")


def copy_moves(store: Store, releases: Path) -> int:
    """Copy the new lines of every model's log, each once, and return how many."""
    return sum(_copy_log(store, folder.name, releases) for folder in sorted(releases.glob("*")) if folder.is_dir())


def _copy_log(store: Store, model: str, releases: Path) -> int:
    lines = logged(releases, model)
    source = sa.select(CopiedLog.lines).where(CopiedLog.source == model)
    with reading(store.engine) as connection:
        if (connection.scalar(source) or 0) >= len(lines):
            return 0
    with suppress(NotRecorded), store.change(command_line()) as change:
        store.chain.lock(change.connection)  # of two processes at once, the second finds nothing left to copy
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
