"""Children on no roll, stored with each scoring and read by their page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from serving.store.cases.casework_tables import StoredOffRoll
from serving.store.cases.tables import Case, Person
from serving.store.parts import Part, Position, part_of
from serving.store.scores.stored_scores import BATCH
from serving.store.tables import Pupil
from serving.store.unit_of_work import Change, View

if TYPE_CHECKING:  # slow to import
    from serving.casework.no_roll import OffRoll

LAST = date.max  # stands for no day, so that children who were never on a roll come last
HAS_CASE = sa.case((Case.case_id.is_not(None), 1), else_=0)
SINCE = sa.func.coalesce(StoredOffRoll.since, sa.literal(LAST, sa.Date), type_=sa.Date)
ORDER: list[sa.ColumnElement[Any]] = [HAS_CASE, SINCE, StoredOffRoll.__table__.c.pupil_id]


def replace(change: Change, children: Iterable[OffRoll], as_of: date, in_authorities: sa.Select[Any]) -> None:
    """Store who is on no roll, in place of who was; children of other authorities, and of a later day, stay."""
    old = sa.delete(StoredOffRoll).where(StoredOffRoll.as_of <= as_of, StoredOffRoll.pupil_id.in_(in_authorities))
    change.connection.execute(old)
    kept = set(change.connection.scalars(sa.select(StoredOffRoll.pupil_id)))
    columns = ("pupil_id", "kind", "since", "urn", "to_urn")
    rows = [{c: getattr(child, c) for c in columns} | {"as_of": as_of} for child in children]
    rows = [row for row in rows if row["pupil_id"] not in kept]
    for at in range(0, len(rows), BATCH):
        change.connection.execute(sa.insert(StoredOffRoll), rows[at : at + BATCH])


def counts(view: View) -> dict[str, int]:
    """Count the children on no roll in the caller's scope by kind. The calling code records the view."""
    query = (
        sa.select(StoredOffRoll.kind, sa.func.count().label("n"))
        .join(Pupil, Pupil.pupil_id == StoredOffRoll.pupil_id)
        .where(*view.caller.children(Pupil))
        .group_by(StoredOffRoll.kind)
    )
    return {row.kind: row.n for row in view.connection.execute(query)}


def newest_day(view: View) -> date | None:
    """Return the day of the newest list that says who in the caller's scope is on no roll."""
    query = sa.select(sa.func.max(StoredOffRoll.as_of)).join(Pupil, Pupil.pupil_id == StoredOffRoll.pupil_id)
    return view.connection.scalar(query.where(*view.caller.children(Pupil)))


def part(view: View, kind: str, most: int, position: Position | None = None) -> Part:
    """Return a part of the children of a kind in the caller's scope: first those without a case, then by day.

    The calling code records the view.

    Parameters
    ----------
    kind : str
        One of ``serving.casework.no_roll.KINDS``.
    position : Position, optional
        See ``name_of``; by default, and if there is no such child, the first part.

    Returns
    -------
    Part
        Of the columns of ``StoredOffRoll``, and ``pupil_ref``, ``nc_year``, ``case_id``, ``owner`` (None if nobody has the case).
    """
    case = sa.and_(Case.pupil_id == StoredOffRoll.pupil_id, Case.authority == Pupil.authority, Case.closed_at.is_(None))
    owner = sa.func.coalesce(Person.name, Case.owner).label("owner")
    query = (
        sa.select(StoredOffRoll.__table__, Pupil.pupil_ref, Pupil.nc_year, Case.case_id, owner)
        .join(Pupil, Pupil.pupil_id == StoredOffRoll.pupil_id)
        .join(Case, case, isouter=True)
        .join(Person, Person.person_id == Case.owner, isouter=True)
        .where(*view.caller.children(Pupil), StoredOffRoll.kind == kind)
    )
    at = _place(view, position.row) if position else None
    return part_of(view, query, ORDER, most, at=at, backwards=bool(position and position.backwards and at))


def name_of(child: Mapping[str, Any]) -> str:
    """Return a child's name as a position: whether there was a case, which may change while a page is open, and the reference."""
    return f"{1 if child['case_id'] else 0}{child['pupil_ref']}"


def _place(view: View, name: str) -> tuple[int, date, str] | None:
    """Return the values of ``ORDER`` at a position."""
    query = sa.select(StoredOffRoll.since, StoredOffRoll.pupil_id).join(Pupil, Pupil.pupil_id == StoredOffRoll.pupil_id)
    row = view.connection.execute(query.where(Pupil.pupil_ref == name[1:])).one_or_none()
    return (int(name[0] == "1"), row.since or LAST, row.pupil_id) if row else None
