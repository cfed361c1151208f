"""Handing a case over to the authority that its child has moved to: an act of a lead, with consent, in the audit of both."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from histories.errors import Fault, Faults
from serving.store.cases import duties
from serving.store.cases.cases import FIELDS, MAX_CODE, PLACE, add_entry, written
from serving.store.cases.casework_tables import StoredDeadline
from serving.store.cases.tables import Case
from serving.store.tables import Pupil
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
    return new_version
