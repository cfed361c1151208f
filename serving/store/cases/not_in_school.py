"""Records for the register of children not in school, kept as entries of cases.

Home education, part-time education by agreement, consent to leave a school, earlier addresses and confirmed destinations. A later
record of a kind replaces the earlier one; none is overwritten.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from histories.calendar import london_day
from histories.errors import Fault, Faults
from serving.store.cases.cases import MAX_CODE, PLACE, add_entry, written
from serving.store.cases.casework_tables import StoredDeadline
from serving.store.cases.tables import Case, CaseEntry
from serving.store.scores.stored_scores import upsert
from serving.store.tables import Pupil
from serving.store.unit_of_work import Change, View

RECORDS = ("home_education", "part_time", "consent", "earlier_address", "destination")
# The duty of each kind of record; ``destination`` begins with the histories, the others with the record.
DUTIES = {
    "home_education": "home_education",
    "part_time": "part_time_review",
    "consent": "consent",
    "destination": "destination",
}
OF_RECORDS = ("home_education", "part_time", "consent")  # kinds of record that begin a duty
# Codes after which no duty of a record runs.
ENDS = {
    "home_education": ("on_register", "ended"),
    "part_time": ("ended",),
    "consent": ("given", "refused", "withdrawn"),
}
NOT_SO = "not_so"  # a destination that was recorded is wrong
COLUMNS = (
    "pupil_id",
    "authority",
    "urn",
    "record",
    "date",
    "what",
    "review_on",
    "duty_due_on",
    "duty_done_on",
    "recorded_on",
    "case_closed",
)


def record(
    change: Change,
    case_id: str,
    version: int,
    *,
    kind: str,
    on: date,
    code: str = "",
    review_on: date | None = None,
    due_on: date | None = None,
    text: str = "",
) -> int:
    """Record something for the register in an open case, stop and start its duty, and return the case's new version.

    Parameters
    ----------
    kind : str
        One of ``RECORDS``.
    code : str
        Who said it or what became of it, from the authority's list; an earlier address has none.
    review_on : date, optional
        The next review; part-time education that goes on needs one.
    due_on : date, optional
        When the duty that begins with this record is due; None if no rule holds.
    text : str
        The address, or anything to add.

    Raises
    ------
    Faults
        When the kind is unknown, the review is missing or not after the day, or the code or the text is empty or too long.
    """
    if kind not in RECORDS:
        raise Faults(Fault("there is no such kind of record", "kind", f"Choose one of {', '.join(RECORDS)}."))
    goes_on = code not in ENDS.get(kind, ())
    is_wrong = review_on is None or review_on <= on
    if kind == "part_time" and goes_on and is_wrong:
        raise Faults(Fault("the day of the review is missing or not after the start", "review", "Give a later day."))
    is_address = kind == "earlier_address"
    columns = {
        "code": None if is_address else written(code, "code", MAX_CODE),
        "text": written(text, "text", required=is_address),
        "review_on": review_on if kind == "part_time" and goes_on else None,
    }
    new_version = add_entry(change, case_id, version, "register", {}, on_day=on, record=kind, **columns)
    if kind in DUTIES:
        _move_duty(change, case_id, kind, on, code=code, due_on=due_on if goes_on else None)
    return new_version


def _move_duty(change: Change, case_id: str, kind: str, on: date, *, code: str, due_on: date | None) -> None:
    """Stop the running duty of a kind of record, and start the next one if it has a day."""
    pupil, urn, authority = change.connection.execute(
        sa.select(Pupil.pupil_id, Pupil.urn, Case.authority)
        .join(Case, Case.pupil_id == Pupil.pupil_id)
        .where(Case.case_id == case_id)
    ).one()
    # A form that was opened before the duty was stopped or started again has an older version, and is refused.
    who = {"version": StoredDeadline.version + 1, "changed_at": change.now, "changed_by": change.caller.key_id}
    of_kind = sa.update(StoredDeadline).where(StoredDeadline.pupil_id == pupil, StoredDeadline.kind == DUTIES[kind])
    if code == NOT_SO:
        duty = aliased(StoredDeadline)
        newest = sa.select(sa.func.max(duty.started_on)).where(duty.pupil_id == pupil, duty.kind == DUTIES[kind])
        again = of_kind.where(
            StoredDeadline.stopped_how == "record", StoredDeadline.started_on == newest.scalar_subquery()
        )
        change.connection.execute(again.values(stopped_at=None, stopped_how=None, **who))
        return
    running = of_kind.where(StoredDeadline.stopped_at.is_(None))
    if kind in OF_RECORDS:
        running = running.where(_begun_in(Case.authority == authority))
    change.connection.execute(running.values(stopped_at=change.now, stopped_how="record", **who))
    if due_on is None:
        return
    row = {
        "clock_id": secrets.token_hex(16),
        "pupil_id": pupil,
        "kind": DUTIES[kind],
        "urn": urn,
        "started_on": on,
        "due_on": due_on,
        "as_of": london_day(change.now),
        "case_id": case_id if kind in OF_RECORDS else "",
        **who,
        "version": 1,
    }
    insert = upsert(change, StoredDeadline)
    restarted = {"due_on": due_on, "stopped_at": None, "stopped_how": None, "stopped_text": None, **who}
    key = ["pupil_id", "kind", "started_on", "case_id"]
    change.connection.execute(insert.on_conflict_do_update(index_elements=key, set_=restarted), row)


def duties_in_scope(view: View) -> sa.ColumnElement[bool]:
    """Return the condition for duties that the caller may see: one that a record began is seen only with the case of that record."""
    in_scope = _begun_in(*view.caller.children(PLACE))
    return sa.or_(StoredDeadline.kind.not_in([DUTIES[kind] for kind in OF_RECORDS]), in_scope)


def _began_duty() -> sa.ColumnElement[bool]:
    """Return the condition that joins an entry to the duty that it began."""
    kinds = (
        sa.and_(CaseEntry.record == kind, CaseEntry.code.not_in(ENDS[kind]), StoredDeadline.kind == DUTIES[kind])
        for kind in OF_RECORDS
    )
    same = (StoredDeadline.case_id == CaseEntry.case_id, StoredDeadline.started_on == CaseEntry.on_day)
    return sa.and_(CaseEntry.kind == "register", *same, sa.or_(*kinds))


def _begun_in(*cases: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return the condition for duties that a record began in one of some cases."""
    of_case = sa.select(Case.case_id).join(Pupil, Pupil.pupil_id == Case.pupil_id)
    return of_case.where(Case.case_id == StoredDeadline.case_id, *cases).correlate(StoredDeadline).exists()


def records(view: View, pupil_id: str) -> list[dict[str, Any]]:
    """Return every record of a pupil in cases of the caller's scope, oldest first; closed cases included.

    Returns
    -------
    list of dict
        ``record, code, on_day, review_on, text``. The calling code records that the pupil was seen.
    """
    columns = (CaseEntry.record, CaseEntry.code, CaseEntry.on_day, CaseEntry.review_on, CaseEntry.text)
    query = _of_scope(view, *columns).where(Case.pupil_id == pupil_id)
    return [dict(r) for r in view.connection.execute(query.order_by(CaseEntry.at, CaseEntry.version)).mappings()]


def with_destination(view: View, days: Mapping[str, date]) -> dict[str, date]:
    """Return the day on which each pupil's destination was confirmed. The calling code records the view.

    Parameters
    ----------
    days : mapping
        By pupil, the day before which a record is of an earlier leaving; see ``serving.store.cases.enquiries.asked_since``.
    """
    query = _of_scope(view, Case.pupil_id, CaseEntry.record, CaseEntry.on_day, CaseEntry.code)
    query = query.where(CaseEntry.record == "destination", Case.pupil_id.in_(list(days)))
    records: dict[str, list[dict[str, Any]]] = {}
    for row in view.connection.execute(query.order_by(CaseEntry.at, CaseEntry.version)).mappings():
        records.setdefault(row["pupil_id"], []).append(dict(row))
    now = {pupil: confirmed(of_pupil, days[pupil]) for pupil, of_pupil in records.items()}
    return {pupil: record["on_day"] for pupil, record in now.items() if record}


def confirmed(records: Sequence[dict[str, Any]], since: date) -> dict[str, Any] | None:
    """Return the record, of those given oldest first, that confirms where a child goes who left since a day; None if it was taken back."""
    of_now = [r for r in records if r["record"] == "destination" and (r["code"] == NOT_SO or r["on_day"] >= since)]
    return of_now[-1] if of_now and of_now[-1]["code"] != NOT_SO else None


def rows(view: View, since: date | None = None, *, addresses: bool = False) -> list[dict[str, Any]]:
    """Return the records of the caller's scope with the keys ``COLUMNS``, without free text.

    Parameters
    ----------
    since : date, optional
        Only those on this day or later.
    addresses : bool
        Whether to add the key ``address``: an earlier address as a worker wrote it.
    """
    here = sa.case((Pupil.authority == Case.authority, Pupil.urn), else_=None)
    columns = [
        Case.pupil_id,
        Case.authority,
        here.label("urn"),
        CaseEntry.record,
        CaseEntry.on_day.label("date"),
        CaseEntry.code.label("what"),
        CaseEntry.review_on,
        StoredDeadline.due_on.label("duty_due_on"),
        StoredDeadline.stopped_at.label("duty_done_on"),
        CaseEntry.at.label("recorded_on"),
        Case.closed_at.label("case_closed"),
    ]
    if addresses:
        columns.append(sa.case((CaseEntry.record == "earlier_address", CaseEntry.text), else_=None).label("address"))
    query = _of_scope(view, *columns).join(StoredDeadline, _began_duty(), isouter=True)
    query = query.where(CaseEntry.on_day >= since) if since else query
    entries = view.connection.execute(query.order_by(Case.pupil_id, CaseEntry.at, CaseEntry.version)).mappings()
    exported = [{k: london_day(v) if isinstance(v, datetime) else v for k, v in row.items()} for row in entries]
    pupils = dict.fromkeys(str(row["pupil_id"]) for row in exported)
    view.record("not_in_school.exported", pupils=pupils, rows=len(exported), addresses=addresses)
    return exported


def _of_scope(view: View, *columns: Any) -> sa.Select[Any]:
    return (
        sa.select(*columns)
        .select_from(CaseEntry)
        .join(Case, Case.case_id == CaseEntry.case_id)
        .join(Pupil, Pupil.pupil_id == Case.pupil_id)
        .where(*view.caller.children(PLACE), CaseEntry.kind == "register")
    )
