"""Stored scores: kept as shown, read within the caller's scope, and kept when newer ones replace them."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from histories.errors import Fault, Faults
from serving.http.paging import Cursor, ListChanged
from serving.store.caller import Caller
from serving.store.scores import kept_numbers, list_capacity
from serving.store.scores.standing import SHADOW, SHOWN, must_not_supersede, must_stand
from serving.store.tables import Pupil, ScoreList, StoredScore
from serving.store.unit_of_work import Change, View, once_a_view

BATCH = 500
LISTED = sa.exists().where(
    ScoreList.authority == StoredScore.authority,
    ScoreList.as_of == StoredScore.as_of,
    ScoreList.model_version == StoredScore.model_version,
)
IDENTITY = ("pupil_id", "as_of", "model_version")
COLUMNS = (StoredScore.pupil_id, StoredScore.as_of, StoredScore.model_version)
PROMISED = ("risk", "rank", "list_name")  # what teams and monitoring go by
LIST_KEY = ("authority", "as_of", "model_version")
LIST_COLUMNS = (ScoreList.authority, ScoreList.as_of, ScoreList.model_version)


def must_be_storable(
    connection: sa.Connection, keys: Collection[tuple[str, date, str]], purpose: str, now: datetime
) -> None:
    """Raise ``Faults`` when lists, by their ``LIST_KEY``, would take the place of one that teams were shown: for monitoring only, or too late."""
    shown = sa.select(sa.func.count()).where(sa.tuple_(*LIST_COLUMNS).in_(keys), ScoreList.purpose == SHOWN)
    if purpose == SHADOW and connection.scalar(shown):
        do = "Monitor it as it stands: what was shown is not replaced by what was not."
        raise Faults(Fault("this version's list of the day was shown to teams", "score --store", do))
    if purpose == SHOWN:
        must_not_supersede(connection, keys, now)


def save(change: Change, rows: Sequence[dict[str, Any]], purpose: str = SHOWN) -> int:
    """Store rows of ``rows_of``; an existing score with the same content stays, one with other content is replaced.

    Nobody sees them until ``enlist`` marks their list as complete. What teams were shown stands; see ``must_stand``.

    Returns
    -------
    int
        Number of rows given.
    """
    for at in range(0, len(rows), BATCH):
        part = {tuple(r[k] for k in IDENTITY): r for r in rows[at : at + BATCH]}
        same = sa.and_(sa.tuple_(*COLUMNS).in_(part), StoredScore.replaced_at.is_(None))
        stored = change.connection.execute(sa.select(StoredScore.__table__).where(same)).mappings().all()
        bodies = {tuple(r[k] for k in IDENTITY): r for r in stored}
        other = _changed(change.connection, part, bodies)
        changed = [key for key in part if key not in bodies or key in other]
        promised = [key for key in changed if key not in bodies or _promises_other(part[key], bodies[key])]
        if promised:
            must_stand(change, {tuple(part[key][k] for k in LIST_KEY) for key in promised})
        replaced = [key for key in changed if key in bodies]
        if replaced:
            old = sa.and_(sa.tuple_(*COLUMNS).in_(replaced), StoredScore.replaced_at.is_(None))
            change.connection.execute(sa.update(StoredScore).where(old).values(replaced_at=change.now))
        if changed:
            new = [{**part[key], "stored_at": change.now} for key in changed]
            change.connection.execute(sa.insert(StoredScore), new)
    _place(change, rows)
    versions = sorted({f"{r['model']} {r['model_version']}" for r in rows})
    days = sorted({r["as_of"].isoformat() for r in rows})
    change.record("scores.stored", count=len(rows), models=versions, as_of=days, purpose=purpose)
    return len(rows)


def _changed(
    connection: sa.Connection, given: Mapping[Any, Mapping[str, Any]], stored: Mapping[Any, Mapping[Any, Any]]
) -> set[Any]:
    """Return the keys of stored scores that others replace: those with another text."""
    unsure = [key for key in given if key in stored and stored[key]["body"] != given[key]["body"]]
    texts = (kept_numbers.texts_of_rows(connection, [of[key] for key in unsure]) for of in (given, stored))
    return {key for key, new, old in zip(unsure, *texts, strict=True) if new != old}


def _promises_other(given: Mapping[str, Any], stored: Mapping[Any, Any]) -> bool:
    """Return whether a score promises something else than the stored one; a later onroll may only have other words."""
    return any(given[name] != stored[name] for name in PROMISED)


def upsert(change: Change, table: Any) -> Any:
    """Return an insert with the dialect's ON CONFLICT clause."""
    return (postgresql if change.connection.dialect.name == "postgresql" else sqlite).insert(table)


def _place(change: Change, rows: Sequence[dict[str, Any]]) -> None:
    """Store the pupils, each at the place in the newest score."""
    newest = {r["pupil_id"]: r for r in sorted(rows, key=lambda r: r["as_of"])}
    moved = ("authority", "urn", "nc_year", "as_of")
    pupils = [
        {"pupil_id": p, "pupil_ref": secrets.token_hex(16), **{k: r[k] for k in moved}} for p, r in newest.items()
    ]
    for at in range(0, len(pupils), BATCH):
        insert = upsert(change, Pupil)
        newer = insert.excluded.as_of >= Pupil.as_of
        # Whoever is scored is on a roll. `leavers.save` takes that back where the same day's records know better.
        changes = {k: getattr(insert.excluded, k) for k in moved} | dict.fromkeys(("left_on", "left_to", "left_from"))
        change.connection.execute(
            insert.on_conflict_do_update(index_elements=["pupil_id"], set_=changes, where=newer),
            pupils[at : at + BATCH],
        )


def enlist(
    change: Change,
    lists: Collection[tuple[str, date, str]],
    count: int,
    purpose: str = SHOWN,
    per_week: int | None = None,
) -> None:
    """Mark lists, by their ``LIST_KEY``, as complete; call it in the change that stores the last of their ``count`` scores.

    A list keeps the capacity of its first storing. What was for monitoring only is shown once it is stored to be shown.
    """
    capacities = list_capacity.now(change.connection, per_week)
    for key in lists:
        shown_at = change.now if purpose == SHOWN else None
        made = {"stored_at": change.now, "purpose": purpose, "thinned_at": None}
        capacity = capacities.get(key[0], capacities[""])
        insert = upsert(change, ScoreList).values(
            {**dict(zip(LIST_KEY, key, strict=True)), **made, "shown_at": shown_at, "capacity": capacity}
        )
        again = {**made, "shown_at": sa.func.coalesce(ScoreList.shown_at, shown_at)}
        change.connection.execute(insert.on_conflict_do_update(index_elements=list(LIST_KEY), set_=again))
    if count >= BATCH:
        # Without statistics SQLite reads a whole authority through the list's index to find a few pupils.
        change.connection.exec_driver_sql("ANALYZE scores")


def find(view: View, pupil_ids: Sequence[str], as_of: date | None) -> list[str]:
    """Return the newest scores of pupils of the caller's scope, of the newest day unless one is named.

    Returns
    -------
    list of str
        JSON as stored; decoding and encoding it again would take longer than the query.
    """
    bodies = {}
    day = as_of or _newest_day(view)
    if day is not None:
        query = (
            sa.select(StoredScore.score_id, StoredScore.body, StoredScore.pupil_id)
            .where(*view.caller.children(StoredScore), StoredScore.as_of == day, StoredScore.pupil_id.in_(pupil_ids))
            .where(StoredScore.replaced_at.is_(None), *of_shown_lists(view))
            .order_by(StoredScore.pupil_id, StoredScore.stored_at, StoredScore.model_version)
        )
        rows = view.connection.execute(query).all()
        bodies = {r.pupil_id: text for r, text in zip(rows, kept_numbers.texts(view.connection, rows), strict=True)}
    withheld = [p for p in dict.fromkeys(pupil_ids) if p not in bodies]
    view.record("scores.seen", pupils=list(bodies), withheld=view.references(withheld))
    return list(bodies.values())


def worklist(
    view: View,
    as_of: date | None,
    limit: int,
    urn: str | None,
    year_group: int | None,
    *,
    band: str | None,
    list_name: str | None = None,
    after: Cursor | None = None,
) -> list[str]:
    """Return the ranked list of the caller's scope, by the newest model that scored the day.

    Returns
    -------
    list of str
        JSON as stored.

    Raises
    ------
    ListChanged
        When the previous page came from another model's list.
    """
    newest = newest_list(view, after.as_of if after else as_of)
    if after and (newest is None or newest[1] != after.version):
        raise ListChanged
    rows: Sequence[Any] = []
    if newest is not None:
        filters = [StoredScore.urn == urn] if urn else []
        filters += [StoredScore.nc_year == year_group] if year_group is not None else []
        filters += [StoredScore.band == band] if band else []
        filters += [StoredScore.list_name == list_name] if list_name else []
        if after:
            later = sa.and_(StoredScore.rank == after.rank, StoredScore.authority > after.authority)
            filters.append(sa.or_(StoredScore.rank > after.rank, later))
        query = sa.select(StoredScore.score_id, StoredScore.pupil_id, StoredScore.body).where(
            *view.caller.children(StoredScore), *of_list(newest), *filters
        )
        rows = view.connection.execute(query.order_by(StoredScore.rank, StoredScore.authority).limit(limit)).all()
    view.record("worklist.seen", pupils=[row.pupil_id for row in rows])
    return kept_numbers.texts(view.connection, rows)


def counts(view: View, as_of: date | None, by: str) -> tuple[date, dict[str, int]] | None:
    """Count the pupils of the caller's scope by a column, by the newest model that scored the day; unsuppressed counts."""
    column = {"band": StoredScore.band, "year_group": StoredScore.nc_year, "urn": StoredScore.urn}[by]
    newest = newest_list(view, as_of)
    view.record("counts.seen", by=by)
    if newest is None:
        return None
    query = (
        sa.select(column, sa.func.count())
        .where(*view.caller.scope(StoredScore), *of_list(newest))
        .group_by(column)
        .order_by(column)
    )
    return newest[0], {str(group): n for group, n in view.connection.execute(query).all()}


def history(view: View, pupil_ref: str) -> list[dict[str, Any]]:
    """Return every score of a pupil of the caller's scope that is shown, oldest first, replaced ones included.

    Returns
    -------
    list of dict
        ``score_id``, ``as_of``, ``model_version``, ``catalogue_digest``, ``features_digest``, ``stored_at``, ``replaced_at``
        and ``score`` as shown.
    """
    shown = (
        StoredScore.score_id,
        StoredScore.as_of,
        StoredScore.model_version,
        StoredScore.catalogue_digest,
        StoredScore.features_digest,
        StoredScore.stored_at,
        StoredScore.replaced_at,
        StoredScore.body,
        StoredScore.pupil_id,
    )
    query = (
        sa.select(*shown)
        .join(Pupil, Pupil.pupil_id == StoredScore.pupil_id)
        .where(*view.caller.children(StoredScore), Pupil.pupil_ref == pupil_ref, *of_shown_lists(view))
        .order_by(StoredScore.as_of, StoredScore.stored_at)
    )
    rows = view.connection.execute(query).all()
    view.record("history.seen", pupils=list(dict.fromkeys(r.pupil_id for r in rows)), scores=len(rows))
    return [
        {k: v for k, v in kept_numbers.with_score(r._mapping, text).items() if k not in ("body", "pupil_id")}
        for r, text in zip(rows, kept_numbers.texts(view.connection, rows), strict=True)
    ]


def one(view: View, score_id: str) -> dict[str, Any] | None:
    """Return a stored score and the digests of its inputs, replaced ones included; None outside the caller's scope."""
    made_from = (
        StoredScore.score_id,
        StoredScore.pupil_id,
        StoredScore.as_of,
        StoredScore.catalogue_digest,
        StoredScore.features_digest,
        StoredScore.body,
    )
    query = sa.select(*made_from).where(*view.caller.children(StoredScore), StoredScore.score_id == score_id)
    rows = view.connection.execute(query).all()
    view.record("score.seen", pupils=[row.pupil_id for row in rows], score_id=score_id if rows else None)
    texts = kept_numbers.texts(view.connection, rows)
    return kept_numbers.with_score(rows[0]._mapping, texts[0]) if rows else None


def newest_risks(view: View, pupils: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return ``risk``, ``as_of`` and ``horizon_days`` of pupils on the newest list. The calling code records that they were seen."""
    newest = newest_list(view)
    if newest is None:
        return {}
    columns = (StoredScore.pupil_id, StoredScore.risk, StoredScore.as_of, StoredScore.horizon_days)
    query = sa.select(*columns).where(
        *view.caller.children(StoredScore), *of_list(newest), StoredScore.pupil_id.in_(pupils)
    )
    return {r["pupil_id"]: dict(r) for r in view.connection.execute(query).mappings()}


def of_list(newest: tuple[date, str]) -> list[sa.ColumnElement[bool]]:
    """Return the conditions for the current scores of a day and model version."""
    return [StoredScore.as_of == newest[0], StoredScore.model_version == newest[1], StoredScore.replaced_at.is_(None)]


def of_authority(caller: Caller) -> list[sa.ColumnElement[bool]]:
    """Return the conditions for lists of the caller's authority; the scope by school applies to the scores."""
    return caller.scope_of_authority(ScoreList)


def lists_shown_then(caller: Caller) -> list[sa.ColumnElement[bool]]:
    """Return the conditions for lists that the caller's authority was shown, whatever became of their version since."""
    return [*of_authority(caller), ScoreList.purpose == SHOWN]


def own_lists(view: View) -> list[sa.ColumnElement[bool]]:
    """Return the conditions for lists of the caller's authority that are shown: no challenger's, and none of a version that was taken back."""
    return [*lists_shown_then(view.caller), ScoreList.model_version.not_in(view.taken_back)]


def of_shown_lists(view: View) -> list[sa.ColumnElement[bool]]:
    """Return the conditions for scores of lists that are shown; see ``own_lists``."""
    return [
        LISTED.where(ScoreList.purpose == SHOWN),
        StoredScore.model_version.not_in(view.taken_back),
    ]


def _newest_day(view: View) -> date | None:
    return view.connection.scalar(sa.select(sa.func.max(ScoreList.as_of)).where(*own_lists(view)))


@once_a_view
def newest_list(view: View, as_of: date | None = None) -> tuple[date, str] | None:
    """Return a day, by default the newest, and the model version whose list of it is shown: the one stored last; None when there is no list."""
    day = as_of or _newest_day(view)
    query = sa.select(ScoreList.model_version).where(*own_lists(view), ScoreList.as_of == day)
    version = view.connection.scalar(query.order_by(ScoreList.stored_at.desc()).limit(1)) if day else None
    return None if day is None or version is None else (day, version)


def taken_back_since(view: View) -> date | None:
    """Return the day of a list that is newer than the shown one and hidden because its version was taken back; None without one."""
    newest = newest_list(view)
    query = sa.select(sa.func.max(ScoreList.as_of)).where(
        *lists_shown_then(view.caller), ScoreList.model_version.in_(view.taken_back)
    )
    hidden = view.connection.scalar(query)
    return None if hidden is None or (newest is not None and hidden < newest[0]) else hidden
