"""Keeping what was gathered beside scores, and reading it: a clock that the histories no longer start is stopped by them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from serving.store.cases import cases
from serving.store.cases.casework_tables import School, StoredDeadline, StoredHistory, StoredMissing, StoredTransition
from serving.store.cases.tables import Case
from serving.store.scores.stored_scores import BATCH, upsert
from serving.store.tables import Pupil, ScoreList
from serving.store.unit_of_work import Change, Conflict, NotThere, View

if TYPE_CHECKING:  # its imports are many, and most verbs that open the store gather nothing
    from serving.casework import Gathered

MAX_TEXT = 500  # characters of how a duty was done
MAX = 200  # clocks on a page
LOST = "case_not_opened"  # the clock of a child off roll whom nobody looks for


def with_cases(view: View) -> list[str]:
    """Return the pupils with an open case."""
    found = list(view.connection.scalars(sa.select(Case.pupil_id).where(Case.closed_at.is_(None))))
    view.record("cases.counted", count=len(found))
    return found


def keep(change: Change, found: Gathered, model_version: str) -> None:
    """Keep what was gathered as of a day, in place of what was kept of the same things before.

    Parameters
    ----------
    change : Change
    found : Gathered
    model_version : str
        Of the lists that were stored with it.
    """
    as_of = found.as_of
    _put(change, School, found.schools, ["urn"])
    places = [{**p, "pupil_ref": secrets.token_hex(16), "as_of": as_of} for p in found.places]
    _put(change, Pupil, places, ["pupil_id"], keeps=("pupil_ref",), newer=True)
    bodies = [
        {"pupil_id": p, "as_of": as_of, "body": json.dumps(b, ensure_ascii=False)}
        for p, b in found.pupil_histories.items()
    ]
    _put(change, StoredHistory, bodies, ["pupil_id"], newer=True)
    _put(
        change,
        StoredTransition,
        [{**vars(c), "as_of": as_of} for c in found.transitions],
        ["pupil_id", "entry_year"],
        newer=True,
    )
    here = sa.select(Pupil.pupil_id).where(Pupil.authority.in_(found.authorities))
    _save_missing(change, found, here)
    _save_deadlines(change, found, here)
    listed = sa.update(ScoreList).where(
        ScoreList.as_of == as_of, ScoreList.model_version == model_version, ScoreList.authority.in_(found.authorities)
    )
    change.connection.execute(listed.values(sources=json.dumps(found.sources)))
    change.record(
        "background.stored",
        as_of=as_of,
        pasts=len(bodies),
        clocks=len(found.deadlines),
        crossings=len(found.transitions),
    )


def _put(
    change: Change,
    table: Any,
    rows: Sequence[dict[str, Any]],
    key: list[str],
    *,
    keeps: Iterable[str] = (),
    newer: bool = False,
) -> None:
    """Insert rows, or change those that are there, but for some columns; with ``newer`` only those of an earlier day."""
    for at in range(0, len(rows), BATCH):
        insert = upsert(change, table)
        own = {k: insert.excluded[k] for k in rows[0] if k not in (*key, *keeps)}
        where = insert.excluded.as_of >= table.as_of if newer else None
        done = (
            insert.on_conflict_do_update(index_elements=key, set_=own, where=where)
            if own
            else insert.on_conflict_do_nothing()
        )
        change.connection.execute(done, rows[at : at + BATCH])


def _save_missing(change: Change, found: Gathered, here: sa.Select[Any]) -> None:
    """Keep who went missing in the year before, and forget of whom that is no longer so: a destination may come late."""
    year = StoredMissing.on_day.between(found.as_of - timedelta(days=365), found.as_of)
    change.connection.execute(
        sa.delete(StoredMissing).where(year, StoredMissing.known_on <= found.as_of, StoredMissing.pupil_id.in_(here))
    )
    _put(change, StoredMissing, found.missing, ["pupil_id", "on_day"], keeps=("known_on",))


def _save_deadlines(change: Change, found: Gathered, here: sa.Select[Any]) -> None:
    """Start new clocks, move the day of those that run, and stop those that the histories no longer start."""
    who = {"changed_at": change.now, "changed_by": change.caller.key_id}
    rows = [
        {
            "clock_id": secrets.token_hex(16),
            **vars(c),
            "as_of": found.as_of,
            "stopped_at": None,
            "stopped_how": None,
            "stopped_text": None,
            "version": 1,
            **who,
        }
        for c in found.deadlines
    ]
    for at in range(0, len(rows), BATCH):
        insert = upsert(change, StoredDeadline)
        moved = {k: insert.excluded[k] for k in ("urn", "due_on", "as_of")}
        # A clock that only the histories had stopped runs again; one that a person stopped stays.
        again = {
            k: sa.case((StoredDeadline.stopped_how == "data", sa.null()), else_=getattr(StoredDeadline, k))
            for k in ("stopped_at", "stopped_how")
        }
        change.connection.execute(
            insert.on_conflict_do_update(
                index_elements=["pupil_id", "kind", "started_on"],
                set_=moved | again,
                where=insert.excluded.as_of >= StoredDeadline.as_of,
            ),
            rows[at : at + BATCH],
        )
    over = sa.update(StoredDeadline).where(
        StoredDeadline.stopped_at.is_(None), StoredDeadline.as_of < found.as_of, StoredDeadline.pupil_id.in_(here)
    )
    change.connection.execute(over.values(stopped_at=change.now, stopped_how="data", **who))


def deadlines(view: View, *, pupil_ref: str | None = None, most: int = MAX) -> list[dict[str, Any]]:
    """Return the clocks that run of children whom the caller may see, those of children whom nobody looks for before all, then by day.

    Returns
    -------
    list of dict
        The columns of ``StoredDeadline``, and ``pupil_ref``, ``nc_year``.
    """
    query = (
        sa.select(StoredDeadline.__table__, Pupil.pupil_ref, Pupil.nc_year)
        .join(Pupil, Pupil.pupil_id == StoredDeadline.pupil_id)
        .where(*view.caller.children(Pupil), StoredDeadline.stopped_at.is_(None))
        .order_by(StoredDeadline.kind != LOST, StoredDeadline.due_on, StoredDeadline.pupil_id, StoredDeadline.kind)
        .limit(most)
    )
    query = query.where(Pupil.pupil_ref == pupil_ref) if pupil_ref else query
    found = [dict(r) for r in view.connection.execute(query).mappings()]
    view.record("clocks.seen", pupils=dict.fromkeys(c["pupil_id"] for c in found))
    return found


def count_lost(view: View, today: date) -> int:
    """Count children whom the caller may see, who are off roll, whom nobody can find, and whose case should be open by now.

    Where it is said the view is the caller's to record.
    """
    query = (
        sa.select(sa.func.count(StoredDeadline.pupil_id.distinct()))
        .join(Pupil, Pupil.pupil_id == StoredDeadline.pupil_id)
        .where(
            *view.caller.children(Pupil),
            StoredDeadline.stopped_at.is_(None),
            StoredDeadline.kind == LOST,
            StoredDeadline.due_on < today,
        )
    )
    return view.connection.scalar(query) or 0


def stop(change: Change, clock_id: str, version: int, text: str) -> None:
    """Say that a duty is done, and how.

    Raises
    ------
    Faults
        When nothing, or too much, is written.
    NotThere
        When there is no such clock of a child whom the caller may see.
    Conflict
        When somebody stopped it meanwhile.
    """
    text = cases.written(text, "text", MAX_TEXT) or ""
    mine = StoredDeadline.pupil_id.in_(sa.select(Pupil.pupil_id).where(*change.caller.children(Pupil)))
    pupil = change.connection.scalar(
        sa.select(StoredDeadline.pupil_id).where(StoredDeadline.clock_id == clock_id, mine)
    )
    if pupil is None:
        raise NotThere("clock")
    own = sa.update(StoredDeadline).where(
        StoredDeadline.clock_id == clock_id, StoredDeadline.version == version, StoredDeadline.stopped_at.is_(None)
    )
    values = {
        "stopped_at": change.now,
        "stopped_how": "person",
        "stopped_text": text,
        "version": version + 1,
        "changed_at": change.now,
        "changed_by": change.caller.key_id,
    }
    if not change.connection.execute(own.values(**values)).rowcount:
        raise Conflict
    change.record("clock.stopped", pupils=[pupil], clock_id=clock_id, version=version + 1)


def pupil_history(view: View, pupil_id: str) -> tuple[Any, dict[str, Any]] | None:
    """Return the day and the past of a pupil; the view of the pupil is the caller's to record."""
    row = view.connection.execute(
        sa.select(StoredHistory.as_of, StoredHistory.body)
        .join(Pupil, Pupil.pupil_id == StoredHistory.pupil_id)
        .where(StoredHistory.pupil_id == pupil_id, *view.caller.children(Pupil))
    ).one_or_none()
    return (row.as_of, json.loads(row.body)) if row else None
