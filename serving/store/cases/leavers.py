"""Where children went who have left every roll, and in which year group the others are, stored with each scoring beside their last place."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from serving.store.scores.stored_scores import BATCH, upsert
from serving.store.tables import Pupil
from serving.store.unit_of_work import Change

if TYPE_CHECKING:  # slow to import
    from serving.casework import Gathered


def save(change: Change, gathered: Gathered, in_authorities: sa.Select[Any]) -> None:
    """Say of every pupil of some authorities whether and where the child left; what was stored for a later day stays.

    Who is on a roll again, or whose leaving was taken back, has left no longer. Nobody is moved to another school or authority here:
    another authority's records may know of a later place.
    """
    _add_siblings(change, gathered)
    earlier = in_authorities.where(Pupil.as_of <= gathered.as_of)
    known = set(change.connection.scalars(earlier))
    left = [c for c in gathered.leavers if c.pupil_id in known]
    marked = set(change.connection.scalars(earlier.where(Pupil.left_on.is_not(None))))
    back = sorted(marked - {c.pupil_id for c in left})
    gone = [{"left_on": c.left_on, "left_to": c.left_to, "nc_year": c.nc_year, "as_of": gathered.as_of} for c in left]
    _update(change, [{"pupil": c.pupil_id, **values} for c, values in zip(left, gone, strict=True)])
    _update(change, [{"pupil": pupil, "left_on": None, "left_to": None} for pupil in back])


def save_years(change: Change, gathered: Gathered, in_authorities: sa.Select[Any]) -> None:
    """Store which year group the rolls state, of every pupil of some authorities."""
    stored = change.connection.execute(in_authorities.where(Pupil.as_of <= gathered.as_of).add_columns(Pupil.roll_year))
    years = {pupil: (before, gathered.roll_years.get(pupil)) for pupil, before in stored}
    _update(change, [{"pupil": p, "roll_year": now} for p, (before, now) in years.items() if now != before])


def _add_siblings(change: Change, gathered: Gathered) -> None:
    """Give children who left before the store knew them a place, so that the pages of those who live with them can name them.

    A family all of whose children are taught elsewhere gets none: no page would name them.
    """
    elsewhere = {c.pupil_id for c in gathered.leavers} - {c.pupil_id for c in gathered.off_roll}
    homes = {c.home for c in gathered.at_home if c.pupil_id not in elsewhere}
    wanted = {c.pupil_id for c in gathered.at_home if c.home in homes}
    new = [
        {"pupil_id": c.pupil_id, "pupil_ref": secrets.token_hex(16), "as_of": gathered.as_of}
        | {"authority": c.authority, "urn": c.urn, "nc_year": c.nc_year, "left_from": c.left_from}
        for c in gathered.leavers
        if c.pupil_id in wanted and c.authority in gathered.authorities
    ]
    for at in range(0, len(new), BATCH):
        insert = upsert(change, Pupil).on_conflict_do_nothing(index_elements=["pupil_id"])
        change.connection.execute(insert, new[at : at + BATCH])


def _update(change: Change, rows: list[dict[str, Any]]) -> None:
    for at in range(0, len(rows), BATCH):
        columns: dict[str, Any] = {k: sa.bindparam(k) for k in rows[0] if k != "pupil"}
        update = sa.update(Pupil).where(Pupil.pupil_id == sa.bindparam("pupil")).values(**columns)
        change.connection.execute(update, rows[at : at + BATCH])
