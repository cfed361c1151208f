"""What is due, in groups: children nobody is looking for, overdue duties, and those due soon and later; counted, and a part at a time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from serving.store.cases import last_school
from serving.store.cases.casework_tables import StoredDeadline
from serving.store.cases.duties import LOST
from serving.store.parts import Part, Position, part_of
from serving.store.tables import Pupil
from serving.store.unit_of_work import View

GROUPS = ("lost", "late", "soon", "later")
SOON = timedelta(days=7)
ORDER = [StoredDeadline.__table__.c[name] for name in ("due_on", "pupil_id", "kind", "clock_id")]


def counts(view: View, today: date) -> dict[str, int]:
    """Count the running duties of the caller's scope in each group. The calling code records the view.

    Returns
    -------
    dict
        By group; of ``lost`` the children, not the duties.
    """
    conditions = {group: _is_in(group, today) for group in GROUPS}
    children = sa.func.count(sa.case((conditions["lost"], StoredDeadline.pupil_id)).distinct())
    of_group = {group: sa.func.sum(sa.case((conditions[group], 1), else_=0)) for group in GROUPS[1:]}
    row = view.connection.execute(_running(view, children, *of_group.values())).one()
    return {group: int(n or 0) for group, n in zip(GROUPS, row, strict=True)}


def part(view: View, group: str, today: date, most: int, position: Position | None = None) -> Part:
    """Return a part of a group's running duties, by due day. The calling code records the view.

    Parameters
    ----------
    group : str
        One of ``GROUPS``.
    position : Position, optional
        By the ``clock_id`` of a duty; by default, and if there is no such duty, the first part.

    Returns
    -------
    Part
        Of the columns of ``StoredDeadline`` (its ``urn`` is the school concerned), and ``pupil_ref``, ``now_at`` (the child's own school),
        ``nc_year`` on the day ``placed_on``, ``roll_year``, ``left_on``, ``left_to``, and ``lives_in``: the authority of a child who left a school of the
        caller's and lives elsewhere, else None.
    """
    place: tuple[Any, ...] = (Pupil.pupil_ref, Pupil.urn.label("now_at"), Pupil.nc_year, Pupil.roll_year, Pupil.left_on)
    place += (Pupil.left_to, Pupil.as_of.label("placed_on"), last_school.LIVES_IN.label("lives_in"))
    query = _running(view, *StoredDeadline.__table__.c, *place).where(_is_in(group, today))
    at = None
    if position:
        named = sa.select(*ORDER).join(Pupil, Pupil.pupil_id == StoredDeadline.pupil_id)
        of_scope = (StoredDeadline.clock_id == position.row, last_school.duties_in_scope(view))
        at = view.connection.execute(named.where(*of_scope)).one_or_none()
    return part_of(view, query, ORDER, most, at=at, backwards=bool(position and position.backwards and at))


def _running(view: View, *columns: Any) -> sa.Select[Any]:
    return (
        sa.select(*columns)
        .select_from(StoredDeadline)
        .join(Pupil, Pupil.pupil_id == StoredDeadline.pupil_id)
        .where(last_school.duties_in_scope(view), StoredDeadline.stopped_at.is_(None))
    )


def _is_in(group: str, today: date) -> sa.ColumnElement[bool]:
    is_late, is_soon = StoredDeadline.due_on < today, StoredDeadline.due_on <= today + SOON
    conditions = {
        "lost": sa.and_(is_late, StoredDeadline.kind == LOST),
        "late": sa.and_(is_late, StoredDeadline.kind != LOST),
        "soon": sa.and_(sa.not_(is_late), is_soon),
        "later": sa.not_(is_soon),
    }
    return conditions[group]
