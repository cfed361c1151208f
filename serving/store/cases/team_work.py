"""What a lead looks after: open cases that nobody has touched longest, and what was done in the weeks of the newest lists."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import sqlalchemy as sa

from serving.store.cases.cases import PLACE
from serving.store.cases.done import done_from
from serving.store.cases.tables import Case, CaseEntry, Person
from serving.store.scores.tops import lists_since, places_until_now, top_of
from serving.store.tables import Pupil
from serving.store.unit_of_work import View

WORK = ("contact", "action", "enquiry", "register", "note")  # entries that mean that somebody worked on the case
MAX_CASES, MAX_WEEKS = 10, 12
PLACED = (Pupil.urn, Pupil.nc_year, Pupil.roll_year, Pupil.left_on, Pupil.left_to)


def oldest_untouched(view: View, today: date, most: int = MAX_CASES) -> list[dict[str, Any]]:
    """Return the open cases of the caller's scope on which nobody has worked longest; not those set aside.

    Returns
    -------
    list of dict
        ``pupil_id, pupil_ref, urn, nc_year, roll_year, left_on, left_to, owner`` (a name, or None), ``worked`` (whether anybody has worked on it) and ``since``: the newest
        contact, action, enquiry, record or note, or else when the case was opened. The audit records the children.
    """
    worked = (
        sa.select(CaseEntry.case_id, sa.func.max(CaseEntry.at).label("at"))
        .where(CaseEntry.kind.in_(WORK))
        .group_by(CaseEntry.case_id)
        .subquery()
    )
    since = sa.func.coalesce(worked.c.at, Case.opened_at, type_=Case.opened_at.type).label("since")
    owner = sa.func.coalesce(Person.name, Case.owner).label("owner")
    has_worked = worked.c.at.is_not(None).label("worked")
    query = (
        sa.select(Case.pupil_id, Pupil.pupil_ref, *PLACED, owner, since, has_worked)
        .join(Pupil, Pupil.pupil_id == Case.pupil_id)
        .join(worked, worked.c.case_id == Case.case_id, isouter=True)
        .join(Person, Person.person_id == Case.owner, isouter=True)
        .where(*view.caller.children(PLACE), *view.caller.children(Pupil))
        .where(Case.closed_at.is_(None), Case.dismissed_why.is_(None))
        .where(sa.or_(Case.snoozed_until.is_(None), Case.snoozed_until <= today))
        .order_by(since, Case.pupil_id)
        .limit(most)
    )
    rows = [dict(row) for row in view.connection.execute(query).mappings()]
    view.record("team.untouched", pupils=[row["pupil_id"] for row in rows])
    return rows


def weeks(
    view: View, most: int, no_conversation: Collection[str] = (), team: str | None = None
) -> list[dict[str, Any]]:
    """Return for each of the newest lists how many children were at its top, and what was done for them until the next list.

    Parameters
    ----------
    most : int
        Number of children at the top of the newest list; earlier ones have that of their time (``tops.places``).
    no_conversation : collection of str
        Outcomes of a contact in which nobody was spoken to.
    team : str, optional
        See ``tops.places``.

    Returns
    -------
    list of dict
        ``as_of, listed, contacted, acted``, the newest list first. The calling code records the view.
    """
    lists = lists_since(view, date.min, shown_then=True)
    days = list(lists)[-MAX_WEEKS:]
    room = places_until_now(view, {day: lists[day] for day in days}, most, team)
    counted: list[dict[str, Any]] = []
    for n, day in enumerate(days):
        listed = [row.pupil_id for row in top_of(view, (day, lists[day]), room[day])]
        end = days[n + 1] if n + 1 < len(days) else None
        done = _done(view, listed, day, end, no_conversation)
        row = {"as_of": day, "listed": len(listed), "contacted": len(done["contact"]), "acted": len(done["action"])}
        counted.insert(0, row)
    return counted


def _done(
    view: View, pupils: list[str], start: date, end: date | None, no_conversation: Collection[str]
) -> dict[str, set[str]]:
    """Return the pupils who were spoken to and for whom something was done from a day until another."""
    between = [done_from(start)]
    between += [~done_from(end)] if end else []
    query = (
        sa.select(Case.pupil_id, CaseEntry.kind, CaseEntry.code)
        .join(CaseEntry, CaseEntry.case_id == Case.case_id)
        .join(Pupil, Pupil.pupil_id == Case.pupil_id)
        .where(*view.caller.children(PLACE), Case.pupil_id.in_(pupils), *between)
        .where(CaseEntry.kind.in_(("contact", "action")))
    )
    done: dict[str, set[str]] = {"contact": set(), "action": set()}
    for pupil, kind, code in view.connection.execute(query):
        if kind == "action" or code not in no_conversation:
            done[kind].add(pupil)
    return done
