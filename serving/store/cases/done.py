"""What was done last for children, and for whom something was done since a day."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from histories.calendar import london_midnight
from serving.store.cases.cases import PLACE
from serving.store.cases.tables import Case, CaseEntry, Person
from serving.store.tables import Pupil
from serving.store.unit_of_work import View

DATED = ("contact", "action", "enquiry")  # entries whose day is when it was done, often before it was written down
# Entries after which a child is done for this list.
TAKEN_UP = ("action", "enquiry", "register", "dismissed", "snoozed", "closed")


def done_from(day: date) -> sa.ColumnElement[bool]:
    """Return the condition for entries of what was done on a day or later: by the day of the contact, not by that of writing it down."""
    is_dated = sa.and_(CaseEntry.kind.in_(DATED), CaseEntry.on_day.is_not(None))
    return sa.case((is_dated, CaseEntry.on_day >= day), else_=CaseEntry.at >= london_midnight(day))


def last_entries(view: View, pupils: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the newest contact, action or enquiry of each pupil, in cases of the caller's scope.

    Returns
    -------
    dict
        By pupil: ``kind``, ``code``, ``on_day``, ``at`` and ``by``, the person's name. The calling code records that they were seen.
    """
    query = (
        sa.select(
            Case.pupil_id,
            CaseEntry.kind,
            CaseEntry.code,
            CaseEntry.on_day,
            CaseEntry.at,
            sa.func.coalesce(Person.name, CaseEntry.by).label("by"),
        )
        .join(Case, Case.case_id == CaseEntry.case_id)
        .join(Pupil, Pupil.pupil_id == Case.pupil_id)
        .join(Person, Person.person_id == CaseEntry.by, isouter=True)
        .where(
            *view.caller.children(PLACE),
            Case.pupil_id.in_(pupils),
            CaseEntry.kind.in_(DATED),
        )
        .order_by(CaseEntry.on_day, CaseEntry.at)
    )
    return {r["pupil_id"]: dict(r) for r in view.connection.execute(query).mappings()}


def help_given(view: View, pupil_id: str) -> list[dict[str, Any]]:
    """Return every contact and action for a pupil, oldest first: ``kind``, ``code`` and ``on_day``; closed cases included.

    The calling code records that the pupil was seen.
    """
    query = (
        sa.select(CaseEntry.kind, CaseEntry.code, CaseEntry.on_day)
        .join(Case, Case.case_id == CaseEntry.case_id)
        .join(Pupil, Pupil.pupil_id == Case.pupil_id)
        .where(*view.caller.children(PLACE), Case.pupil_id == pupil_id, CaseEntry.kind.in_(("contact", "action")))
        .order_by(CaseEntry.on_day, CaseEntry.at)
    )
    return [dict(r) for r in view.connection.execute(query).mappings()]


def done_since(view: View, day: date, not_reached: Collection[str], pupils: Collection[str] | None = None) -> set[str]:
    """Return the pupils for whom something was done since a day: a conversation, an action, an enquiry, a record, or a decision to set aside or close.

    Parameters
    ----------
    not_reached : collection of str
        Outcomes of a contact in which nobody was spoken to; the child is then not done.
    pupils : collection of str, optional
        Only these.
    """
    conversation = sa.and_(CaseEntry.kind == "contact", CaseEntry.code.not_in(not_reached))
    query = (
        sa.select(Case.pupil_id)
        .distinct()
        .join(CaseEntry, CaseEntry.case_id == Case.case_id)
        .join(Pupil, Pupil.pupil_id == Case.pupil_id)
        .where(
            *view.caller.children(PLACE),
            done_from(day),
            sa.or_(CaseEntry.kind.in_(TAKEN_UP), conversation),
        )
    )
    query = query if pupils is None else query.where(Case.pupil_id.in_(pupils))
    return set(view.connection.scalars(query))
