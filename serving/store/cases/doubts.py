"""Doubts about records: raised in a case, answered by an analyst, who sees the record and a reason, not the worker's words."""

from __future__ import annotations

import logging
import secrets
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from histories.errors import Fault, Faults
from serving.roles import IDENTITIES
from serving.store.audit.kept_text import POSTCODE
from serving.store.cases.cases import MAX_CODE, PLACE, URN, add_entry, written
from serving.store.cases.tables import Case, DataFault
from serving.store.people import details
from serving.store.people.cipher import Cipher
from serving.store.tables import AuditEntry, Pupil
from serving.store.unit_of_work import Change, Conflict, NotThere, View

MAX_RELEASED = 300  # characters of a released text: room for what is wrong, not for a list of names
TRIED, MAX_TRIES, TRIES_LAST = "fault.release_tried", 6, timedelta(days=30)  # texts about one child
log = logging.getLogger("onroll.alarm")
RELEASE = ("lead", "administrator")  # roles that may release a text to the analyst


def doubt(
    change: Change, case_id: str, version: int, table: str, on: date | None, *, reason: str, text: str = ""
) -> int:
    """Report a record as wrong, and return the case's new version; see ``faults`` for who sees what of it."""
    code, kept = written(reason, "reason", MAX_CODE), written(text, "text", required=False)
    entry = {"on_day": on, "code": written(table, "table", 40), "text": kept}
    new_version = add_entry(change, case_id, version, "doubted", {}, **entry)
    who = change.caller.key_id
    row = {
        "fault_id": secrets.token_hex(16),
        "case_id": case_id,
        "table_name": table,
        "record_date": on,
        "reason": code,
        "text": kept or "",
        "raised_at": change.now,
        "raised_by": who,
        "version": 1,
        "changed_at": change.now,
        "changed_by": who,
    }
    change.connection.execute(sa.insert(DataFault), row)
    return new_version


def faults(view: View) -> list[dict[str, Any]]:
    """Return unanswered doubts, oldest first and without pupils.

    The worker's ``text`` and the child's ``pupil_ref`` are there only for roles that see children; ``released`` is there for all.
    ``urn`` and ``pupil_ref`` are None once the pupil has left the authority.
    """
    page = sa.case((Pupil.authority == Case.authority, Pupil.pupil_ref), else_=None).label("pupil_ref")
    query = (
        sa.select(DataFault.__table__, URN, page, Case.pupil_id)
        .join(Case, Case.case_id == DataFault.case_id)
        .join(Pupil, Pupil.pupil_id == Case.pupil_id)
        .where(*view.caller.scope(PLACE), DataFault.answer.is_(None))
        .order_by(DataFault.raised_at)
    )
    rows = [dict(r) for r in view.connection.execute(query).mappings()]
    sees_children = view.caller.role in IDENTITIES
    pupils = dict.fromkeys(row.pop("pupil_id") for row in rows)
    view.record("faults.seen", pupils=pupils if sees_children else (), count=len(rows))
    return rows if sees_children else [{**row, "text": None, "pupil_ref": None} for row in rows]


def try_release(change: Change, fault_id: str) -> bool:
    """Count a text about a doubt that somebody wants to release, and return whether one more may be.

    Whether a text is refused says something about the child's name: with enough texts, all of it. Tries are counted in a change of
    their own, which stands whatever comes of the text, by child, since anybody can raise a further doubt.

    Raises
    ------
    NotThere
        When the caller's scope has no such doubt, or the caller's role releases nothing.
    """
    pupil = _pupil_of(change, fault_id)
    change.chain.lock(change.connection)
    since = (change.now - TRIES_LAST).isoformat(timespec="milliseconds")
    about = sa.or_(*(AuditEntry.pupils.contains(ref) for ref in change.all_references([pupil])))
    tried = change.connection.scalar(
        sa.select(sa.func.count()).where(AuditEntry.action == TRIED, AuditEntry.at >= since, about)
    )
    if (tried or 0) < MAX_TRIES:
        change.record(TRIED, pupils=[pupil], fault_id=fault_id)
        return True
    change.record("fault.not_released", pupils=[pupil], fault_id=fault_id, too_many=True)
    log.error("many texts about one child", extra={"fields": {"caller": change.caller.key_id, "more_than": MAX_TRIES}})
    return False


def note_refused(change: Change, fault_id: str, *, said_no_name: bool) -> None:
    """Record that a text about a doubt was not released, with the child and without its words."""
    pupil = _pupil_of(change, fault_id)
    change.record("fault.not_released", pupils=[pupil], fault_id=fault_id, said_no_name=said_no_name)


def _pupil_of(change: Change, fault_id: str) -> str:
    """Return the child of a doubt whose text the caller may release."""
    pupil = change.connection.scalar(
        sa.select(Case.pupil_id)
        .join(DataFault, DataFault.case_id == Case.case_id)
        .join(Pupil, Pupil.pupil_id == Case.pupil_id)
        .where(DataFault.fault_id == fault_id, *change.caller.children(PLACE))
    )
    if pupil is None or change.caller.role not in RELEASE:
        raise NotThere("doubt")
    return str(pupil)


def release(
    change: Change, fault_id: str, version: int, text: str, cipher: Cipher | None = None, *, no_name: bool = False
) -> int:
    """Let the analyst read a text about a doubt, and return the doubt's new version.

    Parameters
    ----------
    cipher : Cipher, optional
        Decrypts the people file; without it a name is not recognised.
    no_name : bool
        Whether the caller says that a word of the text does not mean the child; heard of an everyday word only, and audited without it.

    Raises
    ------
    Faults
        When the text is empty, too long, or holds a postcode, the child's identifier, a word of the name, or the UPN.
    NotThere
        When the caller's scope has no such doubt, or the caller's role releases nothing.
    Conflict
        When somebody changed the doubt meanwhile.
    """
    kept = written(text, "text", MAX_RELEASED) or ""
    pupil = _pupil_of(change, fault_id)
    person = details.of_pupil(change.connection, cipher, pupil) if cipher else None
    named = person is not None and details.identifies(kept, person)
    said = named and no_name and details.may_be_no_name(kept, person or {})
    if pupil.lower() in kept.lower() or POSTCODE.search(kept) or (named and not said):
        raise Faults(Fault("the text names the child", "text", "Say what is wrong without saying whose record it is."))
    _update(change, fault_id, version, released=kept, released_by=change.caller.key_id)
    heard = {"said_no_name": True} if said else {}
    change.record("fault.released", pupils=[pupil], fault_id=fault_id, version=version + 1, **heard)
    return version + 1


def answer(change: Change, fault_id: str, version: int, text: str) -> int:
    """Answer a doubt, and return its new version.

    Raises
    ------
    NotThere
        When the caller's scope has no such doubt.
    Conflict
        When somebody changed the doubt meanwhile.
    """
    kept = written(text, "text")
    _update(change, fault_id, version, answer=kept)
    pupil = sa.select(Case.pupil_id).join(DataFault, DataFault.case_id == Case.case_id)
    about = change.connection.scalars(pupil.where(DataFault.fault_id == fault_id)).all()
    change.record("fault.answered", pupils=about, fault_id=fault_id, version=version + 1)
    return version + 1


def _update(change: Change, fault_id: str, version: int, **values: Any) -> None:
    pupils = sa.select(Case.case_id).join(Pupil, Pupil.pupil_id == Case.pupil_id).where(*change.caller.scope(PLACE))
    named = sa.and_(DataFault.fault_id == fault_id, DataFault.case_id.in_(pupils))
    who = {"changed_at": change.now, "changed_by": change.caller.key_id}
    update = sa.update(DataFault).where(named, DataFault.version == version)
    done = change.connection.execute(update.values(**values, version=version + 1, **who))
    if change.connection.scalar(sa.select(DataFault.fault_id).where(named)) is None:
        raise NotThere("doubt")
    if not done.rowcount:
        raise Conflict
