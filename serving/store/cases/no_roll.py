"""Children on no roll, stored with each scoring and read by their page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from serving.store.cases.casework_tables import StoredOffRoll
from serving.store.cases.tables import Case, Person
from serving.store.scores.stored_scores import BATCH
from serving.store.tables import Pupil
from serving.store.unit_of_work import Change, View

if TYPE_CHECKING:  # slow to import
    from serving.casework.no_roll import OffRoll

MAX = 200  # children on a page


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


def children(view: View, most: int = MAX) -> tuple[list[dict[str, Any]], int]:
    """Return the children on no roll in the caller's scope, and how many there are: first those without a case, then by day.

    Returns
    -------
    list of dict
        The columns of ``StoredOffRoll``, and ``pupil_ref``, ``nc_year``, ``case_id``, ``owner`` (None if nobody has the case).
    int
    """
    of_scope = sa.and_(sa.true(), *view.caller.children(Pupil))
    case = sa.and_(Case.pupil_id == StoredOffRoll.pupil_id, Case.authority == Pupil.authority, Case.closed_at.is_(None))
    query = (
        sa.select(
            StoredOffRoll.__table__,
            Pupil.pupil_ref,
            Pupil.nc_year,
            Case.case_id,
            sa.func.coalesce(Person.name, Case.owner).label("owner"),
        )
        .join(Pupil, Pupil.pupil_id == StoredOffRoll.pupil_id)
        .join(Case, case, isouter=True)
        .join(Person, Person.person_id == Case.owner, isouter=True)
        .where(of_scope)
        .order_by(Case.case_id.is_not(None), StoredOffRoll.since.is_(None), StoredOffRoll.since, StoredOffRoll.pupil_id)
        .limit(most)
    )
    count = (
        sa.select(sa.func.count())
        .select_from(StoredOffRoll)
        .join(Pupil, Pupil.pupil_id == StoredOffRoll.pupil_id)
        .where(of_scope)
    )
    rows = [dict(r) for r in view.connection.execute(query).mappings()]
    view.record("no_roll.seen", pupils=[r["pupil_id"] for r in rows])
    return rows, view.connection.scalar(count) or 0
