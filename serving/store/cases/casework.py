"""Deadlines, transitions and histories, stored with each scoring and read by the pages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from serving.store.cases import cases, duties, family, last_school, leavers, no_roll, silence
from serving.store.cases.casework_tables import School, StoredDeadline, StoredHistory, StoredMissing, StoredTransition
from serving.store.cases.tables import Case
from serving.store.scores.stored_scores import BATCH, upsert
from serving.store.tables import Pupil, ScoreList
from serving.store.unit_of_work import Change, Conflict, NotThere, View

if TYPE_CHECKING:  # slow to import, and most verbs that open the store gather nothing
    from serving.casework import Gathered

MAX_TEXT = 500  # characters of how a duty was done
LOST = duties.LOST


def with_cases(view: View) -> list[str]:
    """Return the pupils with an open case."""
    pupils = list(view.connection.scalars(sa.select(Case.pupil_id).where(Case.closed_at.is_(None))))
    view.record("cases.counted", count=len(pupils))
    return pupils


def keep(change: Change, gathered: Gathered, model_version: str) -> None:
    """Store the casework data of a day, replacing earlier data.

    Parameters
    ----------
    change : Change
    gathered : Gathered
    model_version : str
        Model version of the lists stored with it.
    """
    as_of = gathered.as_of
    _put(change, School, gathered.schools, ["urn"])
    last_school.save_places(change, gathered.places, gathered.authorities, as_of)
    bodies = [
        {"pupil_id": p, "as_of": as_of, "body": json.dumps(b, ensure_ascii=False)}
        for p, b in gathered.pupil_histories.items()
    ]
    _put(change, StoredHistory, bodies, ["pupil_id"], newer=True)
    _put(
        change,
        StoredTransition,
        [{**vars(c), "as_of": as_of} for c in gathered.transitions],
        ["pupil_id", "entry_year"],
        newer=True,
    )
    in_authorities = last_school.of_records(gathered.authorities)
    leavers.save(change, gathered, in_authorities)
    leavers.save_years(change, gathered, in_authorities)
    _save_missing(change, gathered, in_authorities)
    duties.save(change, gathered, in_authorities)
    no_roll.replace(change, gathered.off_roll, as_of, in_authorities)
    family.replace(change, gathered, in_authorities)
    silence.replace(change, gathered, model_version, in_authorities)
    last_school.forget(change)
    listed = sa.update(ScoreList).where(
        ScoreList.as_of == as_of,
        ScoreList.model_version == model_version,
        ScoreList.authority.in_(gathered.authorities),
    )
    change.connection.execute(listed.values(sources=json.dumps(gathered.sources)))
    change.record(
        "background.stored",
        as_of=as_of,
        pasts=len(bodies),
        clocks=len(gathered.deadlines),
        crossings=len(gathered.transitions),
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
    """Insert or update rows; ``keeps`` columns are never updated, and ``newer`` leaves rows of a later day alone."""
    for at in range(0, len(rows), BATCH):
        insert = upsert(change, table)
        updates = {k: insert.excluded[k] for k in rows[0] if k not in (*key, *keeps)}
        where = insert.excluded.as_of >= table.as_of if newer else None
        done = (
            insert.on_conflict_do_update(index_elements=key, set_=updates, where=where)
            if updates
            else insert.on_conflict_do_nothing()
        )
        change.connection.execute(done, rows[at : at + BATCH])


def _save_missing(change: Change, gathered: Gathered, in_authorities: sa.Select[Any]) -> None:
    """Store who went missing within a year, and remove those found since: a destination may be recorded late."""
    year = StoredMissing.on_day.between(gathered.as_of - timedelta(days=365), gathered.as_of)
    change.connection.execute(
        sa.delete(StoredMissing).where(
            year, StoredMissing.known_on <= gathered.as_of, StoredMissing.pupil_id.in_(in_authorities)
        )
    )
    _put(change, StoredMissing, gathered.missing, ["pupil_id", "on_day"], keeps=("known_on",))


def deadlines(view: View, *, pupil_ref: str | None = None) -> list[dict[str, Any]]:
    """Return running deadlines in the caller's scope: first those of children nobody is looking for, then by due day.

    Returns
    -------
    list of dict
        The columns of ``StoredDeadline``, and ``pupil_ref``, ``nc_year``.
    """
    query = (
        sa.select(StoredDeadline.__table__, Pupil.pupil_ref, Pupil.nc_year)
        .join(Pupil, Pupil.pupil_id == StoredDeadline.pupil_id)
        .where(last_school.duties_in_scope(view), StoredDeadline.stopped_at.is_(None))
        .order_by(StoredDeadline.kind != LOST, StoredDeadline.due_on, StoredDeadline.pupil_id, StoredDeadline.kind)
    )
    query = query.where(Pupil.pupil_ref == pupil_ref) if pupil_ref else query
    rows = [dict(r) for r in view.connection.execute(query).mappings()]
    view.record("clocks.seen", pupils=dict.fromkeys(c["pupil_id"] for c in rows))
    return rows


def count_lost(view: View, today: date) -> int:
    """Count children of the caller's scope who are off roll, not found, and whose case should be open by now.

    The calling code records the view.
    """
    in_scope = sa.exists().where(Pupil.pupil_id == StoredDeadline.pupil_id, *view.caller.children(Pupil))
    query = sa.select(sa.func.count(StoredDeadline.pupil_id.distinct())).where(
        StoredDeadline.stopped_at.is_(None),
        StoredDeadline.kind == LOST,
        StoredDeadline.due_on < today,
        in_scope,
    )
    return view.connection.scalar(query) or 0


def stop(change: Change, clock_id: str, version: int, text: str) -> None:
    """Record that a duty is done, and how.

    Raises
    ------
    Faults
        When the text is empty or too long.
    NotThere
        When the caller's scope has no such deadline.
    Conflict
        When somebody stopped it meanwhile.
    """
    text = cases.written(text, "text", MAX_TEXT) or ""
    named = sa.select(StoredDeadline.pupil_id).join(Pupil, Pupil.pupil_id == StoredDeadline.pupil_id)
    named = named.where(StoredDeadline.clock_id == clock_id, last_school.duties_in_scope(change))
    pupil = change.connection.scalar(named)
    if pupil is None:
        raise NotThere("clock")
    stopping = sa.update(StoredDeadline).where(
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
    if not change.connection.execute(stopping.values(**values)).rowcount:
        raise Conflict
    change.record("clock.stopped", pupils=[pupil], clock_id=clock_id, version=version + 1)


def pupil_history(view: View, pupil_id: str) -> tuple[Any, dict[str, Any]] | None:
    """Return a pupil's stored history and its day, or None. The calling code records that the pupil was seen."""
    row = view.connection.execute(
        sa.select(StoredHistory.as_of, StoredHistory.body)
        .join(Pupil, Pupil.pupil_id == StoredHistory.pupil_id)
        .where(StoredHistory.pupil_id == pupil_id, *view.caller.children(Pupil))
    ).one_or_none()
    return (row.as_of, json.loads(row.body)) if row else None
