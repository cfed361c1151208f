"""Cases: what is done for a pupil. Every change names the version that it saw; a stale version is a ``Conflict``.

A page puts the case's ``version`` into its form and sends it back. The store adds the caller and the time, and audits each change.
"""

from __future__ import annotations

import secrets
from datetime import date
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from histories.errors import Fault, Faults
from serving.store.cases import duties
from serving.store.cases.casework_tables import StoredDeadline
from serving.store.cases.tables import Case, CaseEntry, DataFault
from serving.store.tables import Pupil
from serving.store.unit_of_work import Change, Conflict, NotThere, View

KINDS = (
    "assigned",
    "contact",
    "action",
    "enquiry",
    "register",
    "note",
    "snoozed",
    "woken",
    "dismissed",
    "doubted",
    "closed",
    "handed_over",
)
MAX_TEXT = 5000  # characters of a note
MAX_CODE = 100
# Where a case is, for ``Caller.scope``: it belongs to an authority, and goes with the pupil from school to school.
PLACE = SimpleNamespace(authority=Case.authority, urn=Pupil.urn)
# The old authority does not see the school of a pupil who has moved away.
URN = sa.case((Pupil.authority == Case.authority, Pupil.urn), else_=None).label("urn")
LEFT = tuple(
    sa.case((Pupil.authority == Case.authority, column), else_=None).label(column.key)
    for column in (Pupil.left_on, Pupil.left_to, Pupil.roll_year)
)
FIELDS = (*Case.__table__.c, Pupil.pupil_ref, URN, Pupil.nc_year, *LEFT)


def _mine(work: View) -> sa.ColumnElement[bool]:
    cases = sa.select(Case.case_id).join(Pupil, Pupil.pupil_id == Case.pupil_id)
    return Case.case_id.in_(cases.where(*work.caller.children(PLACE)).correlate(None))


def _select(work: View) -> sa.Select[Any]:
    return sa.select(*FIELDS).join(Pupil, Pupil.pupil_id == Case.pupil_id).where(*work.caller.children(PLACE))


def cases(view: View, *, owner: str | None = None, closed: bool = False) -> list[dict[str, Any]]:
    """Return the cases of the caller's scope, latest change first.

    Parameters
    ----------
    view : View
    owner : str, optional
        Only the cases of one person.
    closed : bool
        Closed cases in place of open ones.

    Returns
    -------
    list of dict
        The columns of ``Case``, and ``pupil_ref``, ``nc_year``, ``urn``, ``left_on``, ``left_to`` and ``roll_year`` (None once the pupil is another
        authority's).
    """
    query = _select(view).where(Case.closed_at.is_not(None) if closed else Case.closed_at.is_(None))
    query = query.where(Case.owner == owner) if owner else query
    rows = view.connection.execute(query.order_by(Case.changed_at.desc(), Case.case_id)).mappings().all()
    view.record("cases.seen", pupils=[c["pupil_id"] for c in rows])
    return [dict(c) for c in rows]


def case(view: View, case_id: str) -> dict[str, Any]:
    """Return a case with its ``entries`` and ``faults``, oldest first.

    Raises
    ------
    NotThere
        When the caller's scope has no such case.
    """
    row = view.connection.execute(_select(view).where(Case.case_id == case_id)).mappings().one_or_none()
    if row is None:
        raise NotThere("case")
    stored = dict(row)
    for name, table, order in (
        ("entries", CaseEntry, CaseEntry.version),
        ("faults", DataFault, DataFault.raised_at),
    ):
        query = sa.select(table.__table__).where(table.case_id == case_id).order_by(order)  # type: ignore[attr-defined]
        stored[name] = [dict(r) for r in view.connection.execute(query).mappings()]
    view.record("case.seen", pupils=[stored["pupil_id"]], case_id=case_id)
    return stored


def case_of(view: View, pupil_ref: str) -> dict[str, Any] | None:
    """Return a pupil's open case in the pupil's authority, or None. The calling code records that the pupil was seen."""
    here = Case.authority == Pupil.authority
    query = _select(view).where(Pupil.pupil_ref == pupil_ref, Case.closed_at.is_(None), here)
    row = view.connection.execute(query).mappings().one_or_none()
    return dict(row) if row else None


def open_case(change: Change, pupil_ref: str) -> str:
    """Open a case for a pupil at version 1, and return its id.

    Raises
    ------
    NotThere
        When the caller's scope has no such pupil.
    Conflict
        When the pupil has an open case.
    """
    query = sa.select(Pupil.pupil_id, Pupil.authority).where(
        Pupil.pupil_ref == pupil_ref, *change.caller.children(Pupil)
    )
    row = change.connection.execute(query).one_or_none()
    if row is None:
        raise NotThere("pupil")
    pupil, authority = row
    case_id = secrets.token_hex(16)
    opened = {
        "case_id": case_id,
        "pupil_id": pupil,
        "authority": authority,
        "opened_at": change.now,
        "opened_by": change.caller.key_id,
        "version": 1,
        "changed_at": change.now,
        "changed_by": change.caller.key_id,
    }
    try:
        with change.connection.begin_nested():
            change.connection.execute(sa.insert(Case), opened)
    except sa.exc.IntegrityError:
        raise Conflict("the pupil has an open case already") from None
    duties.stop_looked_for(change, StoredDeadline.pupil_id == pupil)
    change.record("case.opened", pupils=[pupil], case_id=case_id)
    return case_id


def add_entry(change: Change, case_id: str, version: int, kind: str, sets: dict[str, Any], **entry: Any) -> int:
    """Add an entry to an open case, and return the case's new version."""
    named = sa.and_(Case.case_id == case_id, _mine(change))
    update = sa.update(Case).where(named, Case.version == version, Case.closed_at.is_(None))
    who = {"changed_at": change.now, "changed_by": change.caller.key_id}
    pupil = change.connection.scalar(sa.select(Case.pupil_id).where(named))
    if pupil is None:
        raise NotThere("case")
    done = change.connection.execute(update.values(version=version + 1, **who, **sets))
    if not done.rowcount:
        raise Conflict
    row = {
        "entry_id": secrets.token_hex(16),
        "case_id": case_id,
        "version": version + 1,
        "kind": kind,
        "at": change.now,
        "by": change.caller.key_id,
        **entry,
    }
    change.connection.execute(sa.insert(CaseEntry), row)
    change.record(f"case.{kind}", pupils=[pupil], case_id=case_id, version=version + 1)
    return version + 1


def assign(change: Change, case_id: str, version: int, to: str | None) -> int:
    """Assign a case to a person, or to nobody. This and the functions below return the case's new version."""
    return add_entry(change, case_id, version, "assigned", {"owner": to}, to_person=to)


def contact(
    change: Change, case_id: str, version: int, on: date, outcome: str, *, text: str = "", team: str | None = None
) -> int:
    """Record a contact and its outcome."""
    done = {"code": written(outcome, "outcome", MAX_CODE), "text": written(text, "text", required=False)}
    return add_entry(change, case_id, version, "contact", {}, on_day=on, team=team, **done)


def act(
    change: Change, case_id: str, version: int, on: date, what: str, *, text: str = "", team: str | None = None
) -> int:
    """Record an action from the authority's list."""
    done = {"code": written(what, "action", MAX_CODE), "text": written(text, "text", required=False)}
    return add_entry(change, case_id, version, "action", {}, on_day=on, team=team, **done)


def note(change: Change, case_id: str, version: int, text: str) -> int:
    """Add a note."""
    return add_entry(change, case_id, version, "note", {}, text=written(text, "text"))


def snooze(change: Change, case_id: str, version: int, until: date) -> int:
    """Take a case off the list until a day."""
    return add_entry(change, case_id, version, "snoozed", {"snoozed_until": until}, on_day=until)


def wake(change: Change, case_id: str, version: int) -> int:
    """Return a snoozed or dismissed case to the list."""
    return add_entry(change, case_id, version, "woken", {"snoozed_until": None, "dismissed_why": None})


def dismiss(change: Change, case_id: str, version: int, why: str, text: str = "") -> int:
    """Set a child aside from the list, with the reason."""
    code = written(why, "reason", MAX_CODE)
    kept = written(text, "text", required=False)
    return add_entry(change, case_id, version, "dismissed", {"dismissed_why": code}, code=code, text=kept)


def close(change: Change, case_id: str, version: int, why: str) -> int:
    """Close a case; a new one can be opened for the pupil."""
    code = written(why, "reason", MAX_CODE)
    return add_entry(change, case_id, version, "closed", {"closed_at": change.now, "closed_why": code}, code=code)


def written(text: str, where: str, most: int = MAX_TEXT, *, required: bool = True) -> str | None:
    """Return a text without surrounding space, or None when it is empty.

    Raises
    ------
    Faults
        When it is required and empty, too long, or holds a null byte.
    """
    kept = text.strip()
    if (required and not kept) or len(kept) > most or "\x00" in kept:
        raise Faults(Fault("this is empty, too long or not text", where, f"Write 1 to {most} characters."))
    return kept or None
