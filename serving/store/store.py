"""The store: one database, and the only two ways to work on it, of which both tell the audit."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histories.errors import Faults
from histories.settings import Settings
from serving.http.paging import Cursor
from serving.store import schema
from serving.store.caller import Caller, command_line
from serving.store.cases import casework
from serving.store.database import Unavailable, cannot_open, open_engine, reading, writing
from serving.store.ledger.anchors import Anchors
from serving.store.ledger.chain import Chain
from serving.store.ledger.entry import Entry
from serving.store.ledger.keys import audit_keys, beside, private
from serving.store.ledger.refusals import Refusals
from serving.store.scores import stored_scores
from serving.store.sign_in import api_keys
from serving.store.unit_of_work import Change, Recorder, RequestId, View

if TYPE_CHECKING:
    from histories.reading.histories import Histories
    from serving.casework import Gathered
    from serving.casework.deadlines import DeadlineRule
    from training.explanation.score import Score

PART = 2000  # scores stored in one transaction
BREATH = 0.1  # seconds between two parts: SQLite lets who waits look that seldom whether it is their turn


class Store:
    """Scores, keys, cases and the audit in one database, which is brought to the present schema when it is opened.

    Parameters
    ----------
    url : str
        A SQLAlchemy URL: SQLite by default, PostgreSQL by its URL.
    key : bytes or Path, optional
        Key of the audit, or the file with its keys; without one, the key beside a SQLite database is used, or made.
    anchors : Path, optional
        Where the audit's end is written each day; by default beside a SQLite database, else in the working folder.
    told : callable
        Returns the id of the request that is being answered, if there is one.

    Raises
    ------
    Faults
        When the database cannot be opened, a newer onroll made it, or it needs a key.
    """

    def __init__(
        self, url: str, key: bytes | Path | None = None, anchors: Path | None = None, told: RequestId = lambda: None
    ) -> None:
        self.engine = open_engine(url)
        is_file = self.engine.dialect.name == "sqlite" and self.engine.url.database
        self.told, self.chain = told, Chain(audit_keys(self.engine.url, key))
        self.anchors = Anchors(anchors or beside(Path(is_file or "onroll.db"), "audit-anchors"))
        if is_file:
            private(Path(is_file))
        try:
            schema.upgrade(self.engine)
        except Unavailable:
            raise Faults(cannot_open()) from None
        self.recorder = Recorder(self.engine, self.chain, self.anchors)
        self.refusals = Refusals(self.note)

    @classmethod
    def of(cls, own: Settings, told: RequestId = lambda: None) -> Store:
        """Return the store that the settings name."""
        return cls(own.database_url, own.audit_key, own.audit_anchor, told)

    @contextmanager
    def change(self, caller: Caller) -> Iterator[Change]:
        """Yield a change; it is committed with its entries in the audit when all went well, and else nothing of it is kept.

        Examples
        --------
        >>> with store.change(caller) as change:                                    # doctest: +SKIP
        ...     change.connection.execute(sa.update(Case)...)
        ...     change.record("case.assigned", pupils=[pupil_id], version=3)
        """
        with self._alone(), writing(self.engine) as connection:
            change = Change(connection=connection, caller=caller, chain=self.chain, request_id=self.told())
            yield change
            end = self.chain.append(connection, change.must_be_recorded())
        self.anchors.note(end)

    @contextmanager
    def view(self, caller: Caller) -> Iterator[View]:
        """Yield a view of one state of the database; what was seen is in the audit before this is left."""
        with reading(self.engine) as connection:
            view = View(connection=connection, caller=caller, chain=self.chain, request_id=self.told())
            yield view
        self.recorder.append(view.must_be_recorded())

    def note(self, caller: Caller, action: str, pupils: Iterable[str] = (), **details: Any) -> None:
        """Record something that neither changes nor shows what is stored; see ``View.record``."""
        references = [self.chain.reference(p) for p in pupils]
        entry = Entry(
            who=caller.key_id,
            role=caller.role,
            authority=caller.authority,
            action=action,
            pupils=references,
            details=details,
            request_id=self.told(),
        )
        self.recorder.append([entry])

    def _alone(self) -> AbstractContextManager[Any]:
        """Let this process's changes queue where the database has one writer: they would only poll for its lock."""
        return self.recorder.turn.taken() if self.engine.dialect.name == "sqlite" else nullcontext()

    def save(self, given: Iterable[dict[str, Any]], caller: Caller | None = None) -> int:
        """Store scores, and return how many: in parts, so that nobody waits long, and seen when all are there; see ``scores``."""
        rows, who = stored_scores.rows_of(given), caller or command_line()
        for at in range(0, len(rows), PART):
            with self.change(who) as change:
                stored_scores.save(change, rows[at : at + PART])
                if at + PART >= len(rows):
                    stored_scores.enlist(change, rows)
                    break
            if self.engine.dialect.name == "sqlite":
                time.sleep(BREATH)
        return len(rows)

    def keep(
        self, histories: Histories, found: Sequence[Score], rules: dict[str, DeadlineRule], closed: Iterable[date]
    ) -> Gathered:
        """Keep what workers need beside scores that were stored; see ``serving.casework``."""
        from serving.casework import gather  # its imports are many, and most verbs gather nothing

        with self.view(command_line()) as view:
            also = casework.with_cases(view)
        gathered = gather(
            histories=histories, as_of=found[0].as_of, scores=found, rules=rules, closed=frozenset(closed), also=also
        )
        with self.change(command_line()) as change:
            casework.keep(change, gathered, found[0].model_version)
        return gathered

    def scores(self, caller: Caller, pupil_ids: list[str], as_of: date | None) -> list[str]:
        """Return pupils' newest scores; see ``scores.find``."""
        with self.view(caller) as view:
            return stored_scores.find(view, pupil_ids, as_of)

    def worklist(
        self,
        caller: Caller,
        as_of: date | None,
        limit: int,
        *,
        urn: str | None = None,
        year_group: int | None = None,
        band: str | None = None,
        after: Cursor | None = None,
    ) -> list[str]:
        """Return the ranked list; see ``scores.worklist``."""
        with self.view(caller) as view:
            return stored_scores.worklist(
                view=view, as_of=as_of, limit=limit, urn=urn, year_group=year_group, band=band, after=after
            )

    def counts(self, caller: Caller, as_of: date | None, by: str) -> tuple[date, dict[str, int]] | None:
        """Count pupils; see ``scores.counts``."""
        with self.view(caller) as view:
            return stored_scores.counts(view, as_of, by)

    def create_key(
        self, role: str, authority: str | None = None, urns: Iterable[str] = (), expires: date | None = None
    ) -> tuple[str, str]:
        """Make a key; see ``keys.create``."""
        with self.change(command_line()) as change:
            return api_keys.create(change, role, authority, urns, expires)

    def revoke(self, key_id: str) -> None:
        """Revoke a key; see ``keys.revoke``."""
        with self.change(command_line()) as change:
            api_keys.revoke(change, key_id)

    def caller(self, key: str) -> Caller | None:
        """Return whose key it is; see ``keys.caller``."""
        with reading(self.engine) as connection:
            return api_keys.caller(connection, key)

    def list_keys(self) -> list[dict[str, Any]]:
        """Return all keys without their hashes."""
        with reading(self.engine) as connection:
            return api_keys.listed(connection)
