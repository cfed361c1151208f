"""The store: one database with two ways to work on it, ``change`` and ``view``, both audited."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histories.errors import Faults
from histories.settings import Settings
from serving.http.paging import Cursor
from serving.store import schema
from serving.store.audit.taken_back import lost_by_log
from serving.store.caller import Caller, command_line
from serving.store.cases import casework, duties
from serving.store.database import Unavailable, cannot_open, open_engine, reading, writing
from serving.store.ledger.anchor_places import AnchorSyslog
from serving.store.ledger.anchors import Anchors
from serving.store.ledger.chain import Chain
from serving.store.ledger.entry import Entry
from serving.store.ledger.keys import audit_keys, companion, private
from serving.store.ledger.refusals import Refusals
from serving.store.scores import kept_numbers, stored_scores
from serving.store.scores.score_rows import ScoreRows
from serving.store.scores.standing import must_be_of_one_model
from serving.store.scores.stored_scores import SHOWN
from serving.store.sign_in import api_keys, staff
from serving.store.unit_of_work import Change, Recorder, RequestId, View, with_address
from training.release.resolve import MOVES
from training.release.standing import TakenBack

if TYPE_CHECKING:
    from histories.reading.histories import Histories
    from serving.casework import Gathered
    from serving.casework.duty import Rules
    from training.explanation.score import Score
    from training.explanation.score_columns import Ranking

PART = 2000  # scores per transaction
PAUSE = 0.1  # seconds between two parts: SQLite's waiting writers poll for the lock about that often


def _ignore(entries: Sequence[Entry]) -> None:
    """Do nothing with the entries of a view."""


class Store:
    """Scores, API keys, cases and the audit in one database; opening it upgrades its schema.

    Parameters
    ----------
    url : str
        A SQLAlchemy URL: SQLite by default, PostgreSQL by its URL.
    key : bytes or Path, optional
        The audit's key, or its key file; by default the key file beside a SQLite database, made when missing.
    anchors : Path, optional
        File for the anchors; by default beside a SQLite database, else in the working folder.
    request_id : callable
        Returns the id of the request being answered, or None.
    address : callable
        Returns the address that the request comes from, or None; the audit keeps it.
    syslog : str, optional
        Address of a syslog that receives the anchors too.

    Attributes
    ----------
    on_view : callable
        Called with the entries of every view, once they are in the audit.
    taken_back : callable
        Returns the model versions whose lists are not shown, since they were withdrawn or rolled back from.

    Raises
    ------
    Faults
        When the database cannot be opened, a newer onroll made it, or it needs a key.
    """

    def __init__(
        self,
        url: str,
        key: bytes | Path | None = None,
        anchors: Path | None = None,
        request_id: RequestId = lambda: None,
        *,
        address: RequestId = lambda: None,
        syslog: str | None = None,
    ) -> None:
        self.engine = open_engine(url)
        self.address = address
        self.on_view: Callable[[Sequence[Entry]], None] = _ignore
        self.taken_back: Callable[[], frozenset[str]] = frozenset
        is_file = self.engine.dialect.name == "sqlite" and self.engine.url.database
        self.request_id, self.chain = request_id, Chain(audit_keys(self.engine.url, key))
        places = [AnchorSyslog(syslog)] if syslog else []
        self.anchors = Anchors(anchors or companion(Path(is_file or "onroll.db"), "audit-anchors"), places)
        if is_file:
            private(Path(is_file))
        try:
            schema.upgrade(self.engine)
        except Unavailable:
            raise Faults(cannot_open()) from None
        self.recorder = Recorder(self.engine, self.chain, self.anchors)
        self.refusals = Refusals(self.note)

    @classmethod
    def of(cls, settings: Settings, request_id: RequestId = lambda: None, address: RequestId = lambda: None) -> Store:
        """Return the store named by the settings; it shows no list of a version that the settings' promotion log, or the audit, says was taken back."""
        store = cls(
            settings.database_url,
            settings.audit_key,
            settings.audit_anchor,
            request_id,
            address=address,
            syslog=settings.audit_syslog,
        )
        name = settings.model_name
        store.taken_back = TakenBack(settings.releases / name / MOVES, partial(lost_by_log, store.engine, name))
        return store

    @contextmanager
    def change(self, caller: Caller) -> Iterator[Change]:
        """Yield a change, and commit it together with its audit entries; on an error nothing is kept.

        Examples
        --------
        >>> with store.change(caller) as change:                                    # doctest: +SKIP
        ...     change.connection.execute(sa.update(Case)...)
        ...     change.record("case.assigned", pupils=[pupil_id], version=3)
        """
        with self._alone(), writing(self.engine) as connection:
            change = Change(
                connection=connection,
                caller=caller,
                chain=self.chain,
                taken_back=self.taken_back(),
                request_id=self.request_id(),
                address=self.address(),
            )
            yield change
            end = self.chain.append(connection, change.must_be_recorded())
        self.anchors.note(end)

    @contextmanager
    def view(self, caller: Caller) -> Iterator[View]:
        """Yield a view of one state of the database; what it saw is in the audit before this returns."""
        with reading(self.engine) as connection:
            view = View(
                connection=connection,
                caller=caller,
                chain=self.chain,
                taken_back=self.taken_back(),
                request_id=self.request_id(),
                address=self.address(),
            )
            yield view
        self.recorder.append(view.must_be_recorded())
        self.on_view(view.entries)

    def note(self, caller: Caller, action: str, pupils: Iterable[str] = (), **details: Any) -> None:
        """Record something that neither changes nor shows stored data; see ``View.record``."""
        references = [self.chain.reference(p) for p in pupils]
        entry = Entry(
            who=caller.key_id,
            role=caller.role,
            authority=caller.authority,
            action=action,
            pupils=references,
            details=with_address(details, self.address()),
            request_id=self.request_id(),
        )
        self.recorder.append([entry])

    def _alone(self) -> AbstractContextManager[Any]:
        """Queue this process's changes when the database has a single writer, instead of polling for its lock."""
        return self.recorder.queue.turn() if self.engine.dialect.name == "sqlite" else nullcontext()

    def save(
        self,
        scores: Iterable[dict[str, Any] | Score],
        caller: Caller | None = None,
        *,
        purpose: str = SHOWN,
        per_week: int | None = None,
    ) -> int:
        """Store scores in parts, so that other writers do not wait long, and return how many; they are listed once all are stored.

        Parameters
        ----------
        scores : iterable of dict or Score
            Of ``ScoreColumns``, the top ranks are kept as shown, and of the others what they are made from; see ``scores.kept_numbers``.
        purpose : str
            ``shown`` to teams, or ``shadow``: for monitoring only.
        per_week : int, optional
            The capacity of teams that have set none.

        Raises
        ------
        Faults
            When a list that is shown would become one for monitoring, or be replaced long after it was shown.
        """
        made, who = ScoreRows.of(scores, PART), caller or command_line()
        stored = 0
        for rows in made.parts:
            with self.change(who) as change:
                if not stored:
                    stored_scores.must_be_storable(change.connection, made.lists, purpose, change.now)
                    must_be_of_one_model(change.connection, made.lists, rows[0]["model"])
                    if made.recipe is not None:
                        kept_numbers.add(change.connection, made.recipe)
                stored += stored_scores.save(change, rows, purpose)
                if stored == made.count:
                    stored_scores.enlist(change, made.lists, stored, purpose, per_week)
                    break
            if self.engine.dialect.name == "sqlite":
                time.sleep(PAUSE)
        return stored

    def must_be_storable(self, lists: Collection[tuple[str, date, str]], purpose: str) -> None:
        """Raise what ``save`` would, before the lists, by authority, day and model version, are scored."""
        with reading(self.engine) as connection:
            stored_scores.must_be_storable(connection, lists, purpose, datetime.now(UTC))

    def keep(
        self, histories: Histories, scores: Sequence[Score] | Ranking, rules: Rules, closed: Iterable[date]
    ) -> Gathered:
        """Store what staff need beside the scores of one day; see ``serving.casework``."""
        from serving.casework import gather  # slow to import, and most verbs gather nothing
        from training.explanation.score_columns import Ranking

        ranking = scores if isinstance(scores, Ranking) else Ranking.of(scores)

        with self.view(command_line()) as view:
            also, running = casework.with_cases(view), duties.running(view)
        gathered = gather(
            histories=histories,
            ranking=ranking,
            rules=rules,
            closed=frozenset(closed),
            also=also,
            running=running,
        )
        with self.change(command_line()) as change:
            casework.keep(change, gathered, ranking.model_version)
        return gathered

    def scores(self, caller: Caller, pupil_ids: list[str], as_of: date | None) -> list[str]:
        """Return pupils' newest scores; see ``stored_scores.find``."""
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
        list_name: str | None = None,
        after: Cursor | None = None,
    ) -> list[str]:
        """Return the ranked list; see ``stored_scores.worklist``."""
        with self.view(caller) as view:
            return stored_scores.worklist(
                view=view,
                as_of=as_of,
                limit=limit,
                urn=urn,
                year_group=year_group,
                band=band,
                list_name=list_name,
                after=after,
            )

    def counts(self, caller: Caller, as_of: date | None, by: str) -> tuple[date, dict[str, int]] | None:
        """Count pupils; see ``stored_scores.counts``."""
        with self.view(caller) as view:
            return stored_scores.counts(view, as_of, by)

    def create_key(
        self,
        role: str,
        authority: str | None = None,
        urns: Iterable[str] = (),
        expires: date | None = None,
        *,
        names: bool = False,
        holder: str = "",
    ) -> tuple[str, str]:
        """Make an API key; see ``api_keys.create``."""
        with self.change(command_line()) as change:
            return api_keys.create(change, role, authority, urns, expires, names=names, holder=holder)

    def revoke(self, key_id: str) -> None:
        """Revoke an API key; see ``api_keys.revoke``."""
        with self.change(command_line()) as change:
            api_keys.revoke(change, key_id)

    def caller(self, key: str) -> Caller | None:
        """Return the caller of an API key; see ``api_keys.caller``."""
        with reading(self.engine) as connection:
            return api_keys.caller(connection, key)

    def is_closed(self, person_id: str) -> bool:
        """Return whether a person's account was closed; see ``staff.is_closed``."""
        with reading(self.engine) as connection:
            return staff.is_closed(connection, person_id)

    def why_refused(self, key: str) -> tuple[str, Caller | None]:
        """Return why an API key is refused; see ``api_keys.why_refused``."""
        with reading(self.engine) as connection:
            return api_keys.why_refused(connection, key)

    def list_keys(self) -> list[dict[str, Any]]:
        """Return all keys without their hashes."""
        with reading(self.engine) as connection:
            return api_keys.listed(connection)
