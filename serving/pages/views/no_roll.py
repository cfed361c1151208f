"""Children on no roll: since when, from where, who has the case and what comes next; a case can be opened from each row.

They are with the authority where they live. The one of the last school sees whom it has still to tell of.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.responses import Response

from histories.calendar import london_today
from serving.casework.no_roll import KINDS
from serving.pages.context import Context, PageContext
from serving.pages.forms import Form, save_and_redirect
from serving.pages.page import Endpoint, Page
from serving.pages.parts import Place
from serving.roles import IDENTITIES
from serving.store.cases import cases, casework, no_roll
from serving.store.scores import week_list
from serving.store.unit_of_work import Change

GROUPS = (no_roll.ELSEWHERE, *KINDS)


def on_no_roll(request: Request, context: Context) -> Response:
    """Show the page."""
    return _show(context, request)


def take(pupil_ref: str, request: Request, fields: Form, context: Context) -> Response:
    """Open a case for a child, and give it to the caller."""
    place = Place.of(request.query_params, GROUPS)

    def apply(change: Change) -> None:
        case_id = cases.open_case(change, pupil_ref)
        cases.assign(change, case_id, 1, change.caller.key_id)

    def show_again(status: int, wrong: list[str]) -> Response:
        conflict = [{"text": context.renderer.words("no_roll.conflict"), "href": "#main-content"}]
        return _show(context, request, status, errors=conflict)

    return save_and_redirect(context.store, request, apply, place.address("/no-roll", done="taken"), show_again)


def _show(context: PageContext, request: Request, status: int = 200, **more: Any) -> Response:
    with context.store.view(request.state.caller) as view:
        counts, as_of = no_roll.counts(view), no_roll.newest_day(view)
        place = Place.of(request.query_params, GROUPS).within(counts)
        shown = [place.group] if place.group else GROUPS
        groups = {group: no_roll.part(view, group, place.most(), place.position) for group in shown}
        rows = [r for part in groups.values() for r in part.rows]
        view.record("no_roll.seen", pupils=[r["pupil_id"] for r in rows])
        names = week_list.school_names(view)
        details = context.details(view, [r["pupil_id"] for r in rows], "no_roll")
        deadlines = week_list.next_deadlines(view, [r["pupil_id"] for r in rows])
        to_tell = no_roll.to_tell(view, [r["pupil_id"] for r in rows])
    banner = context.renderer.words("no_roll.taken") if request.query_params.get("done") else None
    return context.renderer.page(
        request,
        "no_roll",
        status,
        groups=groups,
        counts=counts,
        place=place,
        name_of=no_roll.name_of,
        names=names,
        details=details,
        deadlines=deadlines,
        to_tell=to_tell,
        longest=casework.MAX_TEXT,
        as_of=as_of,
        today=london_today(),
        banner=banner,
        **more,
    )


PAGE = Page(
    name="no_roll",
    route="/no-roll",
    roles=IDENTITIES,
    sees="children on no roll who live in the caller's scope, and those who left its schools and live elsewhere until that is told",
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
