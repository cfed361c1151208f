"""Units of work on the store: a change or a view, and its audit entries, together or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa

from histories.errors import Fault, Faults
from serving.store.caller import Caller
from serving.store.database import writing
from serving.store.ledger.anchors import Anchors
from serving.store.ledger.chain import Chain
from serving.store.ledger.entry import Entry
from serving.store.tables import FormerReference
from serving.store.write_queue import WriteQueue

BATCH = 500  # pupils in one query
Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


class NotRecorded(RuntimeError):
    """A unit of work recorded nothing in the audit: a programming error. It is rolled back."""


class Conflict(Faults):
    """Somebody changed the row since it was read (409): show the change, and let the caller decide again."""

    def __init__(self, what: str = "somebody changed this meanwhile") -> None:
        super().__init__(Fault(what, "version", "Read it again, then send the change with its new version."))


class NotThere(Faults):
    """Nothing of this kind is in the caller's scope (404)."""

    def __init__(self, what: str) -> None:
        super().__init__(Fault(f"there is no such {what} in the caller's scope", what, "Reload the list."))


@dataclass(kw_only=True)
class View:
    """What one caller reads in one transaction.

    Attributes
    ----------
    connection : sqlalchemy.Connection
    caller : Caller
    taken_back : frozenset of str
        Model versions that were withdrawn or rolled back from: their lists are not shown.
    now : datetime
    """

    connection: sa.Connection
    caller: Caller
    chain: Chain
    taken_back: frozenset[str] = frozenset()
    request_id: str | None = None
    address: str | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    entries: list[Entry] = field(default_factory=list)
    answers: dict[Any, Any] = field(default_factory=dict)

    def record(self, action: str, pupils: Iterable[str] = (), **details: Any) -> None:
        """Record in the audit what this does.

        Parameters
        ----------
        action : str
            What is done, as ``thing.done``.
        pupils : iterable of str
            Identifiers of the pupils concerned; the audit keeps keyed references only.
        details
            Counts, versions, days; never a pupil's values.
        """
        self._record(self.caller.authority, action, pupils, details)

    def record_for(self, authority: str, action: str, pupils: Iterable[str] = (), **details: Any) -> None:
        """Record in another authority's part of the audit what the caller does to what is, or becomes, that authority's; see ``record``."""
        self._record(authority, action, pupils, details)

    def _record(self, authority: str | None, action: str, pupils: Iterable[str], details: dict[str, Any]) -> None:
        self.entries.append(
            Entry(
                who=self.caller.key_id,
                role=self.caller.role,
                authority=authority,
                action=action,
                pupils=self.references(pupils),
                details=with_address(details, self.address),
                request_id=self.request_id,
            )
        )

    def references(self, pupils: Iterable[str]) -> list[str]:
        """Return pupils' references under the current key."""
        return [self.chain.reference(p) for p in pupils]

    def all_references(self, pupils: Iterable[str]) -> list[str]:
        """Return pupils' references under every key of the audit and under former pseudonyms, for a search."""
        return list(self.pupils_by_reference(pupils))

    def pupils_by_reference(self, pupils: Iterable[str]) -> dict[str, str]:
        """Return the pupil of each reference under every key of the audit and under former pseudonyms."""
        listed = list(pupils)
        by_reference = {ref: p for p in listed for ref in self.chain.references(p)}
        former = sa.select(FormerReference.reference, FormerReference.pupil_id)
        for at in range(0, len(listed), BATCH):
            rows = self.connection.execute(former.where(FormerReference.pupil_id.in_(listed[at : at + BATCH])))
            by_reference.update((row.reference, row.pupil_id) for row in rows)
        return by_reference

    def must_be_recorded(self) -> list[Entry]:
        """Return the entries, of which there must be at least one."""
        if not self.entries:
            raise NotRecorded("call record(action, ...) in every unit of work")
        return self.entries


def with_address(details: dict[str, Any], address: str | None) -> dict[str, Any]:
    """Return the details of an entry with the address that its request came from, if there was a request."""
    return details if address is None else {**details, "address": address}


class Change(View):
    """What one caller changes in one transaction; ``connection`` may write."""


def once_a_view(ask: Callable[Concatenate[View, Asked], Answer]) -> Callable[Concatenate[View, Asked], Answer]:
    """Let a view ask a question once: it reads one state, so the answer stays. Callers may not alter the answer. A change asks each time."""

    @wraps(ask)
    def answer(view: View, *args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        if isinstance(view, Change):
            return ask(view, *args, **kwargs)
        question = (ask, args, frozenset(kwargs.items()))
        if question not in view.answers:
            view.answers[question] = ask(view, *args, **kwargs)
        return view.answers[question]  # type: ignore[no-any-return]

    return answer


@dataclass
class _Waiting:
    entries: Sequence[Entry]
    done: bool = False
    failed: Exception | None = None


class Recorder:
    """Appends the entries of views; the first thread in the queue writes for all who wait, in one commit.

    Parameters
    ----------
    engine : sqlalchemy.Engine
    chain : Chain
    anchors : Anchors
    """

    def __init__(self, engine: sa.Engine, chain: Chain, anchors: Anchors) -> None:
        self.engine, self.chain, self.anchors = engine, chain, anchors
        self.queue = WriteQueue()
        self._waiting: list[_Waiting] = []
        self._lock = threading.Lock()

    def append(self, entries: Sequence[Entry]) -> None:
        """Append entries, and return once they are committed."""
        mine = _Waiting(entries)
        with self._lock:
            self._waiting.append(mine)
        with self.queue.turn(unless=lambda: mine.done) as has_turn:
            if has_turn:
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


RequestId = Callable[[], str | None]  # returns the id of the request being answered
