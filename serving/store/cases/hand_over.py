"""Handing a case over to the authority that its child has moved to: an act of a lead, with consent, in the audit of both."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from histories.calendar import london_day
from histories.errors import Fault, Faults
from serving.roles import IDENTITIES
from serving.store.cases import duties
from serving.store.cases.cases import FIELDS, MAX_CODE, PLACE, add_entry, written
from serving.store.cases.casework_tables import StoredDeadline
from serving.store.cases.tables import Case, Person
from serving.store.tables import Pupil, StoredScore
from serving.store.unit_of_work import Change, Conflict, NotThere, View

ROLES = ("lead", "administrator")  # that may hand a case over


def moved_away(view: View) -> list[dict[str, Any]]:
    """Return the open cases of the caller's scope whose child is now in another authority, with ``now_in``."""
    query = (
        sa.select(*FIELDS, Pupil.authority.label("now_in"))
        .join(Pupil, Pupil.pupil_id == Case.pupil_id)
        .where(*view.caller.children(PLACE), Case.closed_at.is_(None), Pupil.authority != Case.authority)
        .order_by(Case.changed_at, Case.case_id)
    )
    rows = [dict(row) for row in view.connection.execute(query).mappings()]
    view.record("cases.moved_away_seen", pupils=[row["pupil_id"] for row in rows])
    return rows


def across_schools(view: View) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the open cases that a change of school took out of the caller's schools, and those that it brought in.

    A case goes with its child, and whoever had it no longer sees it: neither side would know. The school at which a case was opened is that
    of the child's score then. Nobody who sees a whole authority loses a case so.

    Returns
    -------
    tuple
        The cases that left and those that came: ``pupil_id``, ``owner`` (a name, or None) and ``as_of``, the day of the records that say
        it. Of those that left, a worker is told of the own ones only. The audit records the children.
    """
    caller = view.caller
    if not caller.urns or caller.role not in IDENTITIES:
        return [], []
    name = sa.func.coalesce(Person.name, Case.owner).label("name")
    query = (
        sa.select(Case.pupil_id, Case.opened_at, Case.owner, name, Pupil.urn, Pupil.as_of)
        .join(Pupil, sa.and_(Pupil.pupil_id == Case.pupil_id, Pupil.authority == Case.authority))
        .join(Person, Person.person_id == Case.owner, isouter=True)
        .where(Case.closed_at.is_(None), Case.authority == caller.authority, Pupil.left_on.is_(None), Pupil.urn != "")
        .order_by(Case.changed_at, Case.case_id)
    )
    cases = view.connection.execute(query).all()
    schools = _schools_at_opening(view, {row.pupil_id: london_day(row.opened_at) for row in cases})
    left, came = [], []
    for row in cases:
        was_here, is_here = schools.get(row.pupil_id, row.urn) in caller.urns, row.urn in caller.urns
        told = {"pupil_id": row.pupil_id, "owner": row.name, "as_of": row.as_of}
        if was_here and not is_here and (caller.role in ROLES or row.owner == caller.key_id):
            left.append(told)
        elif is_here and not was_here:
            came.append(told)
    view.record("cases.moved_school_seen", pupils=[row["pupil_id"] for row in (*left, *came)])
    return left, came


def _schools_at_opening(view: View, opened: dict[str, date]) -> dict[str, str]:
    """Return the school of each child by the last score up to a day, or else by the first one after it."""
    columns = (StoredScore.pupil_id, StoredScore.as_of, StoredScore.urn)
    query = sa.select(*columns).where(StoredScore.pupil_id.in_(opened), StoredScore.replaced_at.is_(None))
    query = query.where(*view.caller.scope_of_authority(StoredScore))
    schools: dict[str, str] = {}
    for pupil, as_of, urn in view.connection.execute(query.order_by(StoredScore.as_of)):
        if as_of <= opened[pupil] or pupil not in schools:
            schools[pupil] = urn
    return schools


def hand_over(change: Change, case_id: str, version: int, consent: str) -> int:
    """Give an open case, with all that is written in it, to the child's authority; return the case's new version.

    Parameters
    ----------
    consent : str
        A code of the authority's list: who agreed, or what lets the case be shared without.

    Raises
    ------
    NotThere
        When the caller's scope has no such case, or the caller's role hands nothing over.
    Faults
        When the child has not moved, or no consent is given.
    Conflict
        When somebody changed the case meanwhile, or the child's authority has opened a case of its own.
    """
    code = written(consent, "consent", MAX_CODE)
    query = (
        sa.select(Case.pupil_id, Case.authority, Pupil.authority)
        .join(Pupil, Pupil.pupil_id == Case.pupil_id)
        .where(Case.case_id == case_id, *change.caller.children(PLACE))
    )
    row = change.connection.execute(query).one_or_none()
    if row is None or change.caller.role not in ROLES:
        raise NotThere("case")
    pupil, before, now = row
    if before == now:
        raise Faults(Fault("the child has not moved to another authority", "case", "Hand over only what has moved."))
    try:
        with change.connection.begin_nested():
            # Whose list a child is put off is the new authority's to decide.
            sets = {"authority": now, "owner": None, "dismissed_why": None, "snoozed_until": None}
            new_version = add_entry(change, case_id, version, "handed_over", sets, code=code)
    except sa.exc.IntegrityError:
        raise Conflict("the other authority has opened a case of its own") from None
    duties.stop_looked_for(change, StoredDeadline.pupil_id == pupil)
    change.record("case.given_to", pupils=[pupil], case_id=case_id, before=before, now=now, consent=code)
    change.record_for(now, "case.given_by", pupils=[pupil], case_id=case_id, before=before, now=now, consent=code)
    return new_version
