"""Whose a child on no roll is: the home's authority looks for the child, and the last school's authority keeps what that school owes it.

``docs/decisions/0021-who-looks-for-a-child-on-no-roll.md`` has the rule.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from serving.store.cases import duties, not_in_school
from serving.store.cases.casework_tables import StoredDeadline
from serving.store.scores.stored_scores import BATCH, upsert
from serving.store.tables import Pupil
from serving.store.unit_of_work import Change, View

# Duties that a school owes its own authority, and what that authority owes the home's.
OF_SCHOOL = ("deletion_return", "transfer_file", "unauthorised_10", "unauthorised_20", "sickness_15", duties.NOT_TOLD)
ELSEWHERE = Pupil.left_from.is_not(None)
# Where the last school is, for ``Caller.scope``; and where the child was taught last, whoever looks for the child now.
LAST_SCHOOL = SimpleNamespace(authority=Pupil.left_from, urn=Pupil.urn)
TAUGHT = SimpleNamespace(authority=sa.func.coalesce(Pupil.left_from, Pupil.authority), urn=Pupil.urn)
# The authority to tell of a duty's child; None where the duty is that of the child's own authority.
LIVES_IN = sa.case((sa.and_(ELSEWHERE, StoredDeadline.kind.in_(OF_SCHOOL)), Pupil.authority), else_=None)


def left_here(view: View) -> list[sa.ColumnElement[bool]]:
    """Return the conditions for children who left a school of the caller's scope and live in another authority."""
    return [*view.caller.children(LAST_SCHOOL), ELSEWHERE]


def duties_in_scope(view: View) -> sa.ColumnElement[bool]:
    """Return the condition for duties that the caller may see, of a query that joins ``Pupil``.

    The duties of the caller's children; of those who live elsewhere, what the last school owes is its own authority's and no other's.
    """
    own = sa.and_(sa.true(), *view.caller.children(Pupil), sa.not_(ELSEWHERE) | StoredDeadline.kind.not_in(OF_SCHOOL))
    left = sa.and_(*left_here(view), StoredDeadline.kind.in_(OF_SCHOOL))
    return sa.and_(sa.or_(own, left), not_in_school.duties_in_scope(view))


def of_records(authorities: Collection[str]) -> sa.Select[Any]:
    """Return the pupils about whom some authorities' records are replaced: those taught there last, or who live there and were taught nowhere."""
    taught_here = sa.and_(sa.not_(ELSEWHERE), Pupil.authority.in_(authorities))
    return sa.select(Pupil.pupil_id).where(sa.or_(Pupil.left_from.in_(authorities), taught_here))


def save_places(change: Change, places: Sequence[dict[str, Any]], authorities: Collection[str], as_of: Any) -> None:
    """Store where children are; what was stored for a later day stays.

    Records that know no school of a child do not replace those of another authority that know the last one.
    """
    new = {"as_of": as_of, "left_from": None}
    rows = [{**new, **place, "pupil_ref": secrets.token_hex(16)} for place in places]
    for at in range(0, len(rows), BATCH):
        insert = upsert(change, Pupil)
        sets = {k: insert.excluded[k] for k in ("authority", "urn", "nc_year", "as_of", "left_from")}
        own = (Pupil.left_from == authority for authority in sorted(authorities))  # IN takes no many rows at once
        knows = sa.or_(insert.excluded.urn != "", sa.not_(ELSEWHERE), *own)
        placed = insert.on_conflict_do_update(
            index_elements=["pupil_id"], set_=sets, where=sa.and_(insert.excluded.as_of >= Pupil.as_of, knows)
        )
        change.connection.execute(placed, rows[at : at + BATCH])


def forget(change: Change) -> None:
    """Take the last school's authority from children who are on a roll again; call it when all else is replaced."""
    again = sa.update(Pupil).where(ELSEWHERE, Pupil.left_on.is_(None))
    change.connection.execute(again.values(left_from=None))
