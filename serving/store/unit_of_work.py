"""A piece of work on the store: what is changed or seen, and the audit's entry of it, together or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from histories.errors import Fault, Faults
from serving.store.caller import Caller
from serving.store.database import writing
from serving.store.ledger.anchors import Anchors
from serving.store.ledger.chain import Chain
from serving.store.ledger.entry import Entry
from serving.store.write_queue import WriteQueue


class NotRecorded(RuntimeError):
    """Work that says nothing to the audit; a mistake of whoever wrote it, and nothing of it is kept."""


class Conflict(Faults):
    """Somebody changed it since it was read (409): show what they did, and let the caller decide again."""

    def __init__(self, what: str = "somebody changed this meanwhile") -> None:
        super().__init__(Fault(what, "version", "Look at it again, then send the change with its version now."))


class NotThere(Faults):
    """There is no such thing among what the caller may see (404)."""

    def __init__(self, what: str) -> None:
        super().__init__(Fault(f"there is no such {what} that the caller may see", what, "Look at the list again."))


@dataclass(kw_only=True)
class View:
    """What is seen in one transaction by one caller.

    Attributes
    ----------
    connection : sqlalchemy.Connection
    caller : Caller
    now : datetime
    """

    connection: sa.Connection
    caller: Caller
    chain: Chain
    request_id: str | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    entries: list[Entry] = field(default_factory=list)

    def record(self, action: str, pupils: Iterable[str] = (), **details: Any) -> None:
        """Say to the audit what this is.

        Parameters
        ----------
        action : str
            What is done, as ``thing.done``.
        pupils : iterable of str
            Identifiers of the pupils it is about; the audit keeps their references.
        details
            What else to keep: counts, versions, days; never what is known of a pupil.
        """
        own = self.caller
        refs = self.references(pupils)
        self.entries.append(
            Entry(
                who=own.key_id,
                role=own.role,
                authority=own.authority,
                action=action,
                pupils=refs,
                details=details,
                request_id=self.request_id,
            )
        )

    def references(self, pupils: Iterable[str]) -> list[str]:
        """Return pupils' references in the audit."""
        return [self.chain.reference(p) for p in pupils]

    def all_references(self, pupils: Iterable[str]) -> list[str]:
        """Return the references that pupils have had, by every key of the audit: what to look for."""
        return [ref for p in pupils for ref in self.chain.references(p)]

    def must_be_recorded(self) -> list[Entry]:
        """Return the entries, of which there has to be one."""
        if not self.entries:
            raise NotRecorded("say what this is with record(action, ...)")
        return self.entries


class Change(View):
    """What is changed in one transaction by one caller; ``connection`` may write."""


@dataclass
class _Waiting:
    entries: Sequence[Entry]
    done: bool = False
    failed: Exception | None = None


class Recorder:
    """Appends entries of what is only seen: whoever comes first writes for all who wait, with one commit.

    Parameters
    ----------
    engine : sqlalchemy.Engine
    chain : Chain
    anchors : Anchors
    """

    def __init__(self, engine: sa.Engine, chain: Chain, anchors: Anchors) -> None:
        self.engine, self.chain, self.anchors = engine, chain, anchors
        self.turn = WriteQueue()
        self._waiting: list[_Waiting] = []
        self._lock = threading.Lock()

    def append(self, entries: Sequence[Entry]) -> None:
        """Return when the entries are committed."""
        mine = _Waiting(entries)
        with self._lock:
            self._waiting.append(mine)
        with self.turn.taken(unless=lambda: mine.done) as is_mine:
            if is_mine:
                self._write()
        if mine.failed is not None:
            raise mine.failed

    def _write(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting, []
        try:
            with writing(self.engine) as connection:
                end = self.chain.append(connection, [e for w in batch for e in w.entries])
            self.anchors.note(end)
        except Exception as error:
            for w in batch:
                w.failed = error
        finally:
            for w in batch:
                w.done = True


RequestId = Callable[[], str | None]  # the id of the request that is being answered
