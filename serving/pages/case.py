"""What is done for a child: each form makes the next version of the case, and tells whoever saw an older one what happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from histories.errors import Fault, Faults
from histories.tables import TABLES
from serving.http.problems import Problem
from serving.pages.context import PageContext
from serving.pages.forms import Form, done, version_of
from serving.pages.pupil import show
from serving.store.cases import cases
from serving.store.sign_in import staff
from serving.store.unit_of_work import Change, Conflict

FURTHEST = timedelta(days=366)  # that something may lie back, and that a case may be snoozed
Fields = dict[str, str]
Doing = Callable[[Change, str, int, Fields, "PageContext"], int]


def routes(desk: PageContext) -> APIRouter:
    """Return the routes of the forms on a child's page."""
    router = APIRouter(include_in_schema=False)

    @router.post("/pupils/{pupil_ref}/{what}")
    def do(pupil_ref: str, what: str, request: Request, fields: Form) -> Response:
        if what not in DOING:
            raise Problem(404, "There is no such form.")

        def again(status: int, wrong: list[str]) -> Response:
            said = {name: desk.pages.words(f"case.wrong_{name}") for name in wrong}
            said = said or {what: desk.pages.words("case.conflict")}
            return _again(
                desk=desk, request=request, pupil_ref=pupil_ref, what=what, fields=fields, wrong=said, status=status
            )

        def act(change: Change) -> None:
            DOING[what](change, *_case(change, pupil_ref, fields), fields, desk)

        return done(desk.store, request, act, f"/pupils/{pupil_ref}?done={what}", again)

    return router


def _again(
    desk: PageContext, request: Request, pupil_ref: str, what: str, fields: Fields, wrong: dict[str, str], status: int
) -> Response:
    """Show the page with what was written, what is wrong with it, and what others did meanwhile."""
    errors = [
        {"text": text, "href": f"#{what}" if where == what else f"#{what}-{where}"} for where, text in wrong.items()
    ]
    return show(desk, request, pupil_ref, status, errors=errors, wrong={what: wrong}, written={what: fields})


def _case(change: Change, pupil_ref: str, fields: Fields) -> tuple[str, int]:
    """Return the case that a form is about, opening one when it saw none."""
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
        raise Faults(Fault("this is no day that fits", name, "Choose another day."))
    return day


def _past(fields: Fields) -> date:
    return _day(fields, "on", date.today() - FURTHEST, date.today())


def _code(fields: Fields, name: str, words: dict[str, str]) -> str:
    if fields.get(name) not in words:
        raise Faults(Fault("this is not on the list", name, "Choose one."))
    return fields[name]


def _assign(change: Change, case: str, version: int, fields: Fields, desk: PageContext) -> int:
    to = fields.get("to") or None
    if to is not None and to not in {p["person_id"] for p in staff.active_staff(change)}:
        raise Faults(Fault("there is no such person", "to", "Choose one."))
    return cases.assign(change, case, version, to)


def _contact(change: Change, case: str, version: int, fields: Fields, desk: PageContext) -> int:
    outcome = _code(fields, "outcome", desk.settings.outcomes)
    return cases.contact(
        change=change,
        case_id=case,
        version=version,
        on=_past(fields),
        outcome=outcome,
        text=fields.get("text", ""),
        team=desk.team(change.caller) or None,
    )


def _act(change: Change, case: str, version: int, fields: Fields, desk: PageContext) -> int:
    action = _code(fields, "action", desk.settings.actions)
    return cases.act(
        change=change,
        case_id=case,
        version=version,
        on=_past(fields),
        what=action,
        text=fields.get("text", ""),
        team=desk.team(change.caller) or None,
    )


def _dismiss(change: Change, case: str, version: int, fields: Fields, desk: PageContext) -> int:
    reason = _code(fields, "reason", desk.settings.not_for_this_child)
    return cases.dismiss(change, case, version, reason, fields.get("text", ""))


def _doubt(change: Change, case: str, version: int, fields: Fields, desk: PageContext) -> int:
    table = _code(fields, "table", dict.fromkeys(TABLES, ""))
    day = _day(fields, "on", date(1990, 1, 1), date.today()) if fields.get("on") else None
    return cases.doubt(change=change, case_id=case, version=version, table=table, on=day, text=fields.get("text", ""))


def _snooze(change: Change, case: str, version: int, fields: Fields, desk: PageContext) -> int:
    return cases.snooze(
        change, case, version, _day(fields, "until", date.today() + timedelta(days=1), date.today() + FURTHEST)
    )


def _close(change: Change, case: str, version: int, fields: Fields, desk: PageContext) -> int:
    return cases.close(change, case, version, _code(fields, "reason", desk.settings.closing))


DOING: dict[str, Doing] = {
    "assign": _assign,
    "contact": _contact,
    "act": _act,
    "note": lambda change, case, version, fields, desk: cases.note(change, case, version, fields.get("text", "")),
    "dismiss": _dismiss,
    "doubt": _doubt,
    "snooze": _snooze,
    "wake": lambda change, case, version, fields, desk: cases.wake(change, case, version),
    "close": _close,
}
