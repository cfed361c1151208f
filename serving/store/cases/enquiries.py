"""Reasonable enquiries about where a child is: who asked which source, when, what came of it, and whose turn it is.

School and authority enquire jointly before a name is deleted from the admission register.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from histories.calendar import london_day
from histories.errors import Fault, Faults
from serving.store.cases.cases import MAX_CODE, PLACE, add_entry, written
from serving.store.cases.casework_tables import StoredDeadline
from serving.store.cases.last_school import duties_in_scope
from serving.store.cases.tables import Case, CaseEntry
from serving.store.tables import Pupil
from serving.store.unit_of_work import Change, View

SIDES = ("school", "authority")
ASKING = ("unauthorised_20", "deletion_return", "destination", "case_not_opened")  # duties that ask where a child is
OF_RUNS = ("unauthorised_20",)  # the others begin with leaving a roll
BEFORE_LEAVING = timedelta(days=90)  # both sides ask before a name is taken off, so what they asked then counts
COLUMNS = ("pupil_id", "date", "source", "asked_by", "result", "next_turn", "recorded_on", "case_closed")


def enquire(
    change: Change,
    case_id: str,
    version: int,
    *,
    on: date,
    source: str,
    asked_by: str,
    result: str,
    next_turn: str | None = None,
    text: str = "",
) -> int:
    """Record an enquiry in an open case, and return the case's new version.

    Parameters
    ----------
    source, result : str
        Codes of the authority's lists.
    asked_by : {"school", "authority"}
    next_turn : {"school", "authority"}, optional
        Who asks next; by default nobody.

    Raises
    ------
    Faults
        When a side is not one of ``SIDES``, or a code or the text is empty or too long.
    """
    sides = {"by": asked_by} | ({"turn": next_turn} if next_turn else {})
    wrong = [where for where, side in sides.items() if side not in SIDES]
    if wrong:
        raise Faults(Fault("this is not a side", where, f"Choose one of {', '.join(SIDES)}.") for where in wrong)
    columns = {
        "code": written(source, "source", MAX_CODE),
        "result": written(result, "result", MAX_CODE),
        "text": written(text, "text", required=False),
    }
    return add_entry(
        change, case_id, version, "enquiry", {}, on_day=on, asked_by=asked_by, next_turn=next_turn, **columns
    )


def asked_since(view: View, pupils: Collection[str]) -> dict[str, date]:
    """Return for each pupil the day from which enquiries and confirmed destinations are of this time, not of an earlier one.

    It lies before the first of the running duties, of the caller's scope, that ask where the child is. Without one it is that of the newest that was stopped, unless
    a case was opened since, and then before the opening of the case; ``date.max`` without any. The calling code records the view.
    """
    opened = {
        row.pupil_id: row.opened_at
        for row in view.connection.execute(
            sa.select(Case.pupil_id, Case.opened_at)
            .join(Pupil, Pupil.pupil_id == Case.pupil_id)
            .where(*view.caller.children(PLACE), Case.pupil_id.in_(pupils), Case.closed_at.is_(None))
        )
    }
    since = dict.fromkeys(pupils, date.max) | {p: london_day(at) - BEFORE_LEAVING for p, at in opened.items()}
    columns = ("pupil_id", "kind", "started_on", "stopped_at")
    duties = view.connection.execute(
        sa.select(*(StoredDeadline.__table__.c[c] for c in columns))
        .join(Pupil, Pupil.pupil_id == StoredDeadline.pupil_id)
        .where(duties_in_scope(view), StoredDeadline.pupil_id.in_(pupils), StoredDeadline.kind.in_(ASKING))
        .order_by(StoredDeadline.started_on)
    )
    running: dict[str, date] = {}
    for duty in duties:
        begun = duty.started_on - (timedelta(0) if duty.kind in OF_RUNS else BEFORE_LEAVING)
        if duty.stopped_at is None:
            running[duty.pupil_id] = min(begun, running.get(duty.pupil_id, begun))
        elif duty.pupil_id not in opened or duty.stopped_at >= opened[duty.pupil_id]:
            since[duty.pupil_id] = begun
    return since | running


def since(view: View, days: Mapping[str, date]) -> dict[str, list[dict[str, Any]]]:
    """Return the enquiries about pupils in cases of the caller's scope, oldest first. The calling code records the view.

    Parameters
    ----------
    days : mapping
        By pupil. Enquiries on this day or later count, of open cases and closed ones; see ``asked_since``.
    """
    query = (
        sa.select(CaseEntry.__table__, Case.pupil_id)
        .join(Case, Case.case_id == CaseEntry.case_id)
        .join(Pupil, Pupil.pupil_id == Case.pupil_id)
        .where(*view.caller.children(PLACE), CaseEntry.kind == "enquiry", Case.pupil_id.in_(list(days)))
        .order_by(CaseEntry.at, CaseEntry.version)
    )
    made: dict[str, list[dict[str, Any]]] = {}
    for row in view.connection.execute(query).mappings():
        if row["on_day"] >= days[row["pupil_id"]]:
            made.setdefault(row["pupil_id"], []).append(dict(row))
    return made


def by_side(view: View, days: Mapping[str, date]) -> dict[str, dict[str, int]]:
    """Return the number of enquiries of each side about pupils; see ``since``."""
    made = since(view, days)
    return {p: {side: sum(e["asked_by"] == side for e in entries) for side in SIDES} for p, entries in made.items()}


def rows(view: View, since: date | None = None) -> list[dict[str, Any]]:
    """Return the enquiries of the caller's scope with the keys ``COLUMNS``, without free text.

    Parameters
    ----------
    since : date, optional
        Only those on this day or later.
    """
    query = (
        sa.select(
            Case.pupil_id,
            CaseEntry.on_day.label("date"),
            CaseEntry.code.label("source"),
            CaseEntry.asked_by,
            CaseEntry.result,
            CaseEntry.next_turn,
            CaseEntry.at.label("recorded_on"),
            Case.closed_at.label("case_closed"),
        )
        .join(CaseEntry, Case.case_id == CaseEntry.case_id)
        .join(Pupil, Pupil.pupil_id == Case.pupil_id)
        .where(*view.caller.children(PLACE), CaseEntry.kind == "enquiry")
        .order_by(Case.pupil_id, CaseEntry.on_day, CaseEntry.at)
    )
    query = query.where(CaseEntry.on_day >= since) if since else query
    enquiries = [dict(row) for row in view.connection.execute(query).mappings()]
    view.record("enquiries.exported", pupils=dict.fromkeys(r["pupil_id"] for r in enquiries), rows=len(enquiries))
    return [{k: london_day(v) if isinstance(v, datetime) else v for k, v in row.items()} for row in enquiries]
