"""Children on no roll: since when, from where, who has the case and what comes next; a case can be opened from each row."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.responses import Response

from histories.calendar import london_today
from serving.casework.no_roll import KINDS
from serving.pages.context import Context, PageContext
from serving.pages.forms import Form, save_and_redirect
from serving.pages.page import Endpoint, Page
from serving.roles import IDENTITIES
from serving.store.cases import cases, no_roll
from serving.store.scores import week_list
from serving.store.unit_of_work import Change


def on_no_roll(request: Request, context: Context) -> Response:
    """Show the page."""
    return _show(context, request)


def take(pupil_ref: str, request: Request, fields: Form, context: Context) -> Response:
    """Open a case for a child, and give it to the caller."""

    def apply(change: Change) -> None:
        case_id = cases.open_case(change, pupil_ref)
        cases.assign(change, case_id, 1, change.caller.key_id)

    def show_again(status: int, wrong: list[str]) -> Response:
        conflict = [{"text": context.renderer.words("no_roll.conflict"), "href": "#main-content"}]
        return _show(context, request, status, errors=conflict)

    return save_and_redirect(context.store, request, apply, "/no-roll?done=taken", show_again)


def _show(context: PageContext, request: Request, status: int = 200, **more: Any) -> Response:
    with context.store.view(request.state.caller) as view:
        rows, count = no_roll.children(view)
        names = week_list.school_names(view)
        details = context.details(view, [r["pupil_id"] for r in rows], "no_roll")
        deadlines = week_list.next_deadlines(view, [r["pupil_id"] for r in rows])
    banner = context.renderer.words("no_roll.taken") if request.query_params.get("done") else None
    return context.renderer.page(
        request,
        "no_roll",
        status,
        groups={kind: [r for r in rows if r["kind"] == kind] for kind in KINDS},
        names=names,
        details=details,
        deadlines=deadlines,
        as_of=max((r["as_of"] for r in rows), default=None),
        today=london_today(),
        shown=len(rows),
        count=count,
        banner=banner,
        **more,
    )


PAGE = Page(
    name="no_roll",
    route="/no-roll",
    roles=IDENTITIES,
    sees="children on no roll, of the caller's scope",
    handler=on_no_roll,
    menu=3,
    endpoints=(
        Endpoint(
            method="POST",
            route="/no-roll/{pupil_ref}",
            handler=take,
            sees="a case opened for a child of the caller's scope",
        ),
    ),
)
