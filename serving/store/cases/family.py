"""Services involved with a child and children at the same address, stored with each scoring and read by the child's page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from serving.store.cases.casework_tables import StoredAtHome, StoredInvolvement, StoredOffRoll
from serving.store.scores.stored_scores import BATCH, of_list
from serving.store.tables import NAMED, Pupil, StoredScore
from serving.store.unit_of_work import Change, View

if TYPE_CHECKING:  # slow to import
    from serving.casework import Gathered

MISSING_CASE = "cme"  # as serving.casework.family has it, which is slow to import


def replace(change: Change, gathered: Gathered, in_authorities: sa.Select[Any]) -> None:
    """Store who is involved and who lives together, in place of what was; children of other authorities, and of a later day, stay."""
    for table, rows in ((StoredInvolvement, gathered.involvements), (StoredAtHome, gathered.at_home)):
        replace_rows(change, table, [vars(row) for row in rows], gathered.as_of, in_authorities)


def replace_rows(
    change: Change, table: Any, rows: Sequence[dict[str, Any]], as_of: date, in_authorities: sa.Select[Any]
) -> None:
    """Store rows about children in place of those of the same authorities; rows of a later day, and of children without a place, stay out."""
    change.connection.execute(sa.delete(table).where(table.as_of <= as_of, table.pupil_id.in_(in_authorities)))
    later = set(change.connection.scalars(sa.select(table.pupil_id)))
    known = set(change.connection.scalars(in_authorities.where(Pupil.as_of <= as_of)))
    new = [{**row, "as_of": as_of} for row in rows if row["pupil_id"] in known and row["pupil_id"] not in later]
    for at in range(0, len(new), BATCH):
        change.connection.execute(sa.insert(table), new[at : at + BATCH])


def involvements(view: View, pupil_id: str) -> list[dict[str, Any]]:
    """Return the services involved with a pupil of the caller's scope. The calling code records that the pupil was seen.

    Returns
    -------
    list of dict
        ``kind``, ``since`` and ``as_of``.
    """
    columns = (StoredInvolvement.kind, StoredInvolvement.since, StoredInvolvement.as_of)
    query = (
        sa.select(*columns)
        .join(Pupil, Pupil.pupil_id == StoredInvolvement.pupil_id)
        .where(StoredInvolvement.pupil_id == pupil_id, *view.caller.children(Pupil))
    )
    return [dict(row) for row in view.connection.execute(query).mappings()]


def unlisted_with_case(view: View, newest: tuple[date, str] | None) -> list[dict[str, Any]]:
    """Return the children on a roll whom the newest list leaves out for an open case of missing education, the oldest case first.

    Returns
    -------
    list of dict
        ``pupil_id, pupil_ref, urn, nc_year, roll_year, left_on, left_to`` and ``since``: when the case was reported. The audit records the children.
    """
    columns = (Pupil.pupil_id, Pupil.pupil_ref, Pupil.urn, Pupil.nc_year, Pupil.roll_year, Pupil.left_on, Pupil.left_to)
    off_roll = sa.exists().where(StoredOffRoll.pupil_id == Pupil.pupil_id)
    query = (
        sa.select(*columns, StoredInvolvement.since)
        .join(StoredInvolvement, StoredInvolvement.pupil_id == Pupil.pupil_id)
        .where(*view.caller.children(NAMED), StoredInvolvement.kind == MISSING_CASE, Pupil.left_on.is_(None), ~off_roll)
        .order_by(StoredInvolvement.since, Pupil.pupil_id)
    )
    if newest is not None:
        query = query.where(~sa.exists().where(StoredScore.pupil_id == Pupil.pupil_id, *of_list(newest)))
    children = [dict(row) for row in view.connection.execute(query).mappings()]
    if children:
        view.record("missing_cases.seen", pupils=[child["pupil_id"] for child in children])
    return children


def at_home_with(view: View, pupil_id: str) -> list[dict[str, Any]]:
    """Return the other children at a pupil's address who are in the caller's scope, oldest first; the audit records them.

    Returns
    -------
    list of dict
        ``pupil_id, pupil_ref, urn, nc_year, roll_year, left_on, left_to, possible, missed, until, as_of``, and ``off_roll``: whether the child is on
        no roll.
    """
    own, child = aliased(StoredAtHome), aliased(Pupil)
    query = (
        sa.select(
            StoredAtHome.pupil_id,
            Pupil.pupil_ref,
            Pupil.urn,
            Pupil.nc_year,
            Pupil.roll_year,
            Pupil.left_on,
            Pupil.left_to,
            StoredAtHome.possible,
            StoredAtHome.missed,
            StoredAtHome.until,
            StoredAtHome.as_of,
            StoredOffRoll.pupil_id.is_not(None).label("off_roll"),
        )
        .join(own, sa.and_(own.home == StoredAtHome.home, own.pupil_id == pupil_id))
        .join(child, child.pupil_id == own.pupil_id)
        .join(Pupil, Pupil.pupil_id == StoredAtHome.pupil_id)
        .join(StoredOffRoll, StoredOffRoll.pupil_id == StoredAtHome.pupil_id, isouter=True)
        .where(StoredAtHome.pupil_id != pupil_id, *view.caller.children(Pupil), *view.caller.children(child))
        .order_by(Pupil.nc_year.desc(), StoredAtHome.pupil_id)
    )
    children = [dict(row) for row in view.connection.execute(query).mappings()]
    if children:
        view.record("family.seen", pupils=[child["pupil_id"] for child in children])
    return children
