"""The forms of a case. Each creates the case's next version; a form based on an older version shows what has changed since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

from fastapi import Request
from starlette.responses import Response

from histories.calendar import london_today
from histories.errors import Fault, Faults
from histories.tables import TABLES
from serving.http.problems import Problem
from serving.pages.context import PageContext
from serving.pages.forms import save_and_redirect, version_of
from serving.pages.list_query import ListQuery
from serving.pages.pupil_page import show
from serving.store.cases import cases, doubts, enquiries, not_in_school
from serving.store.sign_in import staff
from serving.store.unit_of_work import Change, Conflict

MAX_DISTANCE = timedelta(days=366)  # of a contact or action in the past, and of a snooze
MAX_AGE = timedelta(days=19 * 366)  # of a record: a childhood
Fields = dict[str, str]
CaseForm = Callable[[Change, str, int, Fields, PageContext], int]


def save(context: PageContext, request: Request, *, pupil_ref: str, what: str, fields: Fields) -> Response:
    """Save a form of a case, and redirect to the child's page.

    Parameters
    ----------
    what : str
        A key of ``FORMS``.
    fields : dict
        The form's fields.

    Raises
    ------
    Problem
        404 if there is no such form.
    """
    if what not in FORMS:
        raise Problem(404, "There is no such form.")

    def show_again(status: int, wrong: list[str]) -> Response:
        words = context.renderer.words
        messages = {name: words(f"case.wrong_{LIMITED.get((what, name), name)}") for name in wrong} or {
            what: words("case.conflict")
        }
        errors = [
            {"text": text, "href": f"#{what}" if where == what else f"#{what}-{where}"}
            for where, text in messages.items()
        ]
        return show(context, request, pupil_ref, status, errors=errors, wrong={what: messages}, written={what: fields})

    apply = changing(context, pupil_ref, what, fields)
    to = ListQuery.of(request.query_params, context).address(f"/pupils/{pupil_ref}", done=what)
    return save_and_redirect(context.store, request, apply, to, show_again)


def changing(context: PageContext, pupil_ref: str, what: str, fields: Fields) -> Callable[[Change], None]:
    """Return what makes a form's change to the child's case; ``what`` is a key of ``FORMS``."""

    def apply(change: Change) -> None:
        case, version = _case(change, pupil_ref, fields)
        FORMS[what](change, case, version, fields, context)

    return apply


def _case(change: Change, pupil_ref: str, fields: Fields) -> tuple[str, int]:
    """Return the form's case and the version it was based on; open a case if there was none."""
    version, case = version_of(fields), cases.case_of(change, pupil_ref)
    if version == 0:
        return cases.open_case(change, pupil_ref), 1
    if case is None:
        raise Conflict("the case was closed meanwhile")
    return case["case_id"], version


def _day(fields: Fields, name: str, first: date, last: date) -> date:
    try:
        day = date.fromisoformat(fields.get(name, ""))
    except ValueError:
        day = date.min
    if not first <= day <= last:
        raise Faults(Fault("the day is missing or out of range", name, "Choose another day."))
    return day


def _past(fields: Fields, most: timedelta = MAX_DISTANCE) -> date:
    return _day(fields, "on", london_today() - most, london_today())


def _code(fields: Fields, name: str, words: dict[str, str]) -> str:
    if fields.get(name) not in words:
        raise Faults(Fault("this is not on the list", name, "Choose one from the list."))
    return fields[name]


def _assign(change: Change, case: str, version: int, fields: Fields, context: PageContext) -> int:
    owner = fields.get("to") or None
    if owner is not None and owner not in {p["person_id"] for p in staff.active_staff(change)}:
        raise Faults(Fault("there is no such person", "to", "Choose a person from the list."))
    return cases.assign(change, case, version, owner)


def _contact(change: Change, case: str, version: int, fields: Fields, context: PageContext) -> int:
    outcome = _code(fields, "outcome", context.settings.outcomes)
    return cases.contact(
        change=change,
        case_id=case,
        version=version,
        on=_past(fields),
        outcome=outcome,
        text=fields.get("text", ""),
        team=context.team(change.caller) or None,
    )


def _act(change: Change, case: str, version: int, fields: Fields, context: PageContext) -> int:
    action = _code(fields, "action", context.settings.actions)
    return cases.act(
        change=change,
        case_id=case,
        version=version,
        on=_past(fields),
        what=action,
        text=fields.get("text", ""),
        team=context.team(change.caller) or None,
    )


def _enquire(change: Change, case: str, version: int, fields: Fields, context: PageContext) -> int:
    sides = dict.fromkeys(enquiries.SIDES, "")
    return enquiries.enquire(
        change,
        case,
        version,
        on=_past(fields),
        source=_code(fields, "source", context.settings.enquiries),
        asked_by=_code(fields, "by", sides),
        result=_code(fields, "result", context.settings.enquiry_results),
        next_turn=_code(fields, "turn", sides) if fields.get("turn") else None,
        text=fields.get("text", ""),
    )


def _record(kind: str, change: Change, case: str, version: int, fields: Fields, context: PageContext) -> int:
    """Record something for the register of children not in school; the rule that holds on its day says when its duty is due."""
    on = _past(fields, MAX_AGE)
    is_address = kind == "earlier_address"
    code = "" if is_address else _code(fields, "code", context.settings.record_words(kind))
    review_on = None
    if kind == "part_time" and code not in not_in_school.ENDS[kind]:
        review_on = _day(fields, "review", on + timedelta(days=1), london_today() + MAX_DISTANCE)
    due_on = context.settings.due_on(not_in_school.DUTIES[kind], on) if kind in not_in_school.OF_RECORDS else None
    return not_in_school.record(
        change,
        case,
        version,
        kind=kind,
        on=on,
        code=code,
        review_on=review_on,
        due_on=review_on if due_on and review_on else due_on,
        text=fields.get("text", ""),
    )


def _dismiss(change: Change, case: str, version: int, fields: Fields, context: PageContext) -> int:
    reason = _code(fields, "reason", context.settings.not_for_this_child)
    return cases.dismiss(change, case, version, reason, fields.get("text", ""))


def _doubt(change: Change, case: str, version: int, fields: Fields, context: PageContext) -> int:
    table = _code(fields, "table", dict.fromkeys(TABLES, ""))
    day = _day(fields, "on", date(1990, 1, 1), london_today()) if fields.get("on") else None
    reason = _code(fields, "reason", context.settings.doubts)
    return doubts.doubt(change, case, version, table, day, reason=reason, text=fields.get("text", ""))


def _snooze(change: Change, case: str, version: int, fields: Fields, context: PageContext) -> int:
    return cases.snooze(
        change, case, version, _day(fields, "until", london_today() + timedelta(days=1), london_today() + MAX_DISTANCE)
    )


def _close(change: Change, case: str, version: int, fields: Fields, context: PageContext) -> int:
    return cases.close(change, case, version, _code(fields, "reason", context.settings.closing))


def _note(change: Change, case: str, version: int, fields: Fields, context: PageContext) -> int:
    return cases.note(change, case, version, fields.get("text", ""))


def _wake(change: Change, case: str, version: int, fields: Fields, context: PageContext) -> int:
    return cases.wake(change, case, version)


# Days whose limits differ from those of the same field of other forms.
LIMITED = {("doubt", "on"): "on_doubt", **dict.fromkeys(((kind, "on") for kind in not_in_school.RECORDS), "on_record")}
FORMS: dict[str, CaseForm] = {
    "assign": _assign,
    "contact": _contact,
    "act": _act,
    "enquire": _enquire,
    **{kind: partial(_record, kind) for kind in not_in_school.RECORDS},
    "note": _note,
    "dismiss": _dismiss,
    "doubt": _doubt,
    "snooze": _snooze,
    "wake": _wake,
    "close": _close,
}
