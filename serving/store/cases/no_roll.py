"""Children on no roll, stored with each scoring and read by their page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from serving.store.cases import duties, last_school
from serving.store.cases.casework_tables import StoredDeadline, StoredOffRoll
from serving.store.cases.tables import Case, Person
from serving.store.parts import Part, Position, part_of
from serving.store.scores.stored_scores import BATCH
from serving.store.tables import Pupil
from serving.store.unit_of_work import Change, View

if TYPE_CHECKING:  # slow to import
    from serving.casework.no_roll import OffRoll

LAST = date.max  # stands for no day, so that children who were never on a roll come last
# The group of children who left a school of the caller's scope, live in another authority, and of whom that has not been told.
ELSEWHERE = "elsewhere"
HAS_CASE = sa.case((Case.case_id.is_not(None), 1), else_=0)
SINCE = sa.func.coalesce(StoredOffRoll.since, sa.literal(LAST, sa.Date), type_=sa.Date)
ORDER: list[sa.ColumnElement[Any]] = [HAS_CASE, SINCE, StoredOffRoll.__table__.c.pupil_id]
NOT_TOLD = sa.and_(
    StoredDeadline.pupil_id == StoredOffRoll.pupil_id,
    StoredDeadline.kind == duties.NOT_TOLD,
    StoredDeadline.stopped_at.is_(None),
)


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
    """Count the children on no roll in the caller's scope by kind, and those ``ELSEWHERE``. The calling code records the view."""
    joined = sa.select(StoredOffRoll.kind, sa.func.count().label("n"))
    joined = joined.join(Pupil, Pupil.pupil_id == StoredOffRoll.pupil_id).group_by(StoredOffRoll.kind)
    own = view.connection.execute(joined.where(*_in_group(view)))
    left = view.connection.execute(joined.where(*_in_group(view, ELSEWHERE)))
    elsewhere = sum(row.n for row in left)
    return {row.kind: row.n for row in own} | ({ELSEWHERE: elsewhere} if elsewhere else {})


def newest_day(view: View) -> date | None:
    """Return the day of the newest list that says who in the caller's scope is on no roll."""
    query = sa.select(sa.func.max(StoredOffRoll.as_of)).join(Pupil, Pupil.pupil_id == StoredOffRoll.pupil_id)
    in_scope = sa.or_(*(sa.and_(*_in_group(view, group)) for group in (None, ELSEWHERE)))
    return view.connection.scalar(query.where(in_scope))


def _in_group(view: View, group: str | None = None) -> list[sa.ColumnElement[bool]]:
    """Return the conditions for children of a group, or of any kind in the caller's own."""
    if group == ELSEWHERE:
        return [*last_school.left_here(view), sa.exists().where(NOT_TOLD)]
    own = [sa.true(), *view.caller.children(Pupil)]
    return [*own, StoredOffRoll.kind == group] if group else own


def part(view: View, group: str, most: int, position: Position | None = None) -> Part:
    """Return a part of a group of children in the caller's scope: first those without a case, then by day.

    The calling code records the view.

    Parameters
    ----------
    group : str
        One of ``serving.casework.no_roll.KINDS``, or ``ELSEWHERE``.
    position : Position, optional
        See ``name_of``; by default, and if there is no such child, the first part.

    Returns
    -------
    Part
        Of the columns of ``StoredOffRoll``, and ``pupil_ref``, ``nc_year``, ``roll_year``, ``lives_in`` (an authority), ``left_from`` (that of the last
        school, where it is another), and the caller's authority's own ``case_id`` and ``owner`` (None if nobody has a case).
    """
    authority = Pupil.left_from if group == ELSEWHERE else Pupil.authority
    case = sa.and_(Case.pupil_id == StoredOffRoll.pupil_id, Case.authority == authority, Case.closed_at.is_(None))
    owner = sa.func.coalesce(Person.name, Case.owner).label("owner")
    place = (Pupil.pupil_ref, Pupil.nc_year, Pupil.roll_year, Pupil.authority.label("lives_in"), Pupil.left_from)
    query = (
        sa.select(StoredOffRoll.__table__, *place, Case.case_id, owner)
        .join(Pupil, Pupil.pupil_id == StoredOffRoll.pupil_id)
        .join(Case, case, isouter=True)
        .join(Person, Person.person_id == Case.owner, isouter=True)
        .where(*_in_group(view, group))
    )
    at = _place(view, position.row) if position else None
    return part_of(view, query, ORDER, most, at=at, backwards=bool(position and position.backwards and at))


def to_tell(view: View, pupils: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the running duty to tell another authority of each of some pupils: ``clock_id, version``. The calling code records the view."""
    query = (
        sa.select(StoredDeadline.pupil_id, StoredDeadline.clock_id, StoredDeadline.version)
        .join(Pupil, Pupil.pupil_id == StoredDeadline.pupil_id)
        .where(*last_school.left_here(view), StoredDeadline.pupil_id.in_(list(pupils)))
        .where(StoredDeadline.kind == duties.NOT_TOLD, StoredDeadline.stopped_at.is_(None))
    )
    return {row["pupil_id"]: dict(row) for row in view.connection.execute(query).mappings()}


def name_of(child: Mapping[str, Any]) -> str:
    """Return a child's name as a position: whether there was a case, which may change while a page is open, and the reference."""
    return f"{1 if child['case_id'] else 0}{child['pupil_ref']}"


def _place(view: View, name: str) -> tuple[int, date, str] | None:
    """Return the values of ``ORDER`` at a position."""
    query = sa.select(StoredOffRoll.since, StoredOffRoll.pupil_id).join(Pupil, Pupil.pupil_id == StoredOffRoll.pupil_id)
    row = view.connection.execute(query.where(Pupil.pupil_ref == name[1:], *view.caller.children(Pupil))).one_or_none()
    return (int(name[0] == "1"), row.since or LAST, row.pupil_id) if row else None
