"""Duties that the histories begin: started, moved and stopped with each scoring, and when a case is opened."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from histories.calendar import london_day
from serving.store.cases.casework_tables import StoredDeadline
from serving.store.cases.tables import Case
from serving.store.scores.stored_scores import BATCH, upsert
from serving.store.tables import Pupil
from serving.store.unit_of_work import Change, View

if TYPE_CHECKING:  # slow to import, and most verbs that open the store gather nothing
    from serving.casework import Gathered
    from serving.casework.duty import Deadline

LOST = "case_not_opened"  # the duty of a child off roll whom nobody is looking for
NOT_TOLD = "home_not_told"  # the duty of the last school's authority to tell the one where such a child lives
COLUMNS = ("pupil_id", "kind", "urn", "started_on", "due_on")
OF_HISTORIES = StoredDeadline.case_id == ""  # a worker's record, not the histories, begins the others


def running(view: View) -> list[Deadline]:
    """Return the duties that the histories began and nobody has stopped, of all authorities. The calling code records the view."""
    from serving.casework.duty import Deadline

    query = sa.select(*(StoredDeadline.__table__.c[name] for name in COLUMNS)).where(
        StoredDeadline.stopped_at.is_(None), OF_HISTORIES
    )
    return [Deadline(**row) for row in view.connection.execute(query).mappings()]


def save(change: Change, gathered: Gathered, in_authorities: sa.Select[Any]) -> None:
    """Start new duties, move those that run, and stop those that are over.

    A duty that the histories only say nothing more of stays until a person says what was done. One that a person stopped does not begin
    again when the first day of its leaving or run is corrected.
    """
    who = {"changed_at": change.now, "changed_by": change.caller.key_id}
    rows = [
        {
            "clock_id": secrets.token_hex(16),
            **{column: getattr(duty, column) for column in COLUMNS},
            "as_of": gathered.as_of,
            "stopped_at": None,
            "stopped_how": None,
            "stopped_text": None,
            "case_id": "",
            "version": 1,
            **who,
        }
        for duty in _not_done(change, gathered.deadlines)
    ]
    for at in range(0, len(rows), BATCH):
        insert = upsert(change, StoredDeadline)
        moved = {k: insert.excluded[k] for k in ("urn", "as_of")}
        # School days are counted anew from fewer and other marks each time; what has become overdue stays so.
        has_passed = StoredDeadline.due_on < insert.excluded.as_of
        moved["due_on"] = sa.case((has_passed, StoredDeadline.due_on), else_=insert.excluded.due_on)
        # A deadline that the histories stopped may run again; one that a person stopped stays stopped.
        again = {
            k: sa.case((StoredDeadline.stopped_how == "data", sa.null()), else_=getattr(StoredDeadline, k))
            for k in ("stopped_at", "stopped_how")
        }
        restarted = StoredDeadline.version + sa.case((StoredDeadline.stopped_how == "data", 1), else_=0)
        change.connection.execute(
            insert.on_conflict_do_update(
                index_elements=["pupil_id", "kind", "started_on", "case_id"],
                set_={**moved, **again, "version": restarted},
                where=insert.excluded.as_of >= StoredDeadline.as_of,
            ),
            rows[at : at + BATCH],
        )
    _stop(change, gathered.over, StoredDeadline.as_of <= gathered.as_of, StoredDeadline.pupil_id.in_(in_authorities))
    stop_looked_for(change, StoredDeadline.pupil_id.in_(in_authorities))


def _not_done(change: Change, due: Sequence[Deadline]) -> Iterator[Deadline]:
    """Yield the duties, but those of a leaving or run with another first day for which a person stopped the duty."""
    columns = ("pupil_id", "kind", "started_on", "stopped_at")
    by_person = sa.select(*(StoredDeadline.__table__.c[name] for name in columns)).where(
        StoredDeadline.stopped_how == "person", OF_HISTORIES
    )
    done: dict[tuple[str, str], list[tuple[date, date]]] = {}
    pupils = sorted({duty.pupil_id for duty in due if duty.same is not None})  # no other can be the same
    for at in range(0, len(pupils), BATCH):
        of_pupils = by_person.where(StoredDeadline.pupil_id.in_(pupils[at : at + BATCH]))
        for pupil, kind, start, stopped in change.connection.execute(of_pupils):
            done.setdefault((pupil, kind), []).append((start, london_day(stopped)))
    for duty in due:
        stopped_before = done.get((duty.pupil_id, duty.kind), ())
        if not any(_is_same(duty, start, stopped) for start, stopped in stopped_before):
            yield duty


def _is_same(duty: Deadline, start: date, stopped: date) -> bool:
    """Return whether a duty that began on a day was, when it was stopped, that of the same leaving or run: what begins later is another."""
    if duty.same is None or start == duty.started_on:
        return False
    return duty.same[0] <= start <= duty.same[1] and duty.started_on <= stopped


def _stop(change: Change, over: Sequence[Deadline], *conditions: sa.ColumnElement[bool]) -> None:
    key = sa.tuple_(StoredDeadline.pupil_id, StoredDeadline.kind, StoredDeadline.started_on)
    keys = [(d.pupil_id, d.kind, d.started_on) for d in over]
    for at in range(0, len(keys), BATCH):
        named = (key.in_(keys[at : at + BATCH]), StoredDeadline.stopped_at.is_(None), OF_HISTORIES, *conditions)
        change.connection.execute(sa.update(StoredDeadline).where(*named).values(**_stopped(change, "data")))


def stop_looked_for(change: Change, *which: sa.ColumnElement[bool]) -> None:
    """Stop the duties to open a case and to tell of the child, for those children who have an open case in their authority."""
    is_open = (Case.pupil_id == StoredDeadline.pupil_id, Case.closed_at.is_(None))
    looked_for = sa.exists().where(*is_open, Pupil.pupil_id == Case.pupil_id, Pupil.authority == Case.authority)
    lost = (StoredDeadline.kind.in_((LOST, NOT_TOLD)), StoredDeadline.stopped_at.is_(None))
    change.connection.execute(
        sa.update(StoredDeadline).where(*lost, looked_for, *which).values(**_stopped(change, "record"))
    )


def _stopped(change: Change, how: str) -> dict[str, Any]:
    who = {"changed_at": change.now, "changed_by": change.caller.key_id}
    return {"stopped_at": change.now, "stopped_how": how, "version": StoredDeadline.version + 1, **who}
