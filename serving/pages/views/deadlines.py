"""Duties and their deadlines: first children off roll whom nobody is looking for, then overdue duties."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.responses import Response

from histories.calendar import london_today
from serving.pages.context import Context, PageContext
from serving.pages.forms import Form, save_and_redirect, version_of
from serving.pages.page import Endpoint, Page
from serving.pages.parts import Place
from serving.roles import IDENTITIES
from serving.store.cases import casework, due_list, enquiries, not_in_school
from serving.store.scores import week_list
from serving.store.unit_of_work import Change


def deadlines(request: Request, context: Context) -> Response:
    """Show the page."""
    return _show(context, request)


def stop(clock_id: str, request: Request, fields: Form, context: Context) -> Response:
    """Record that a duty is done, and how."""
    words, version = context.renderer.words, version_of(fields)
    place = Place.of(request.query_params, due_list.GROUPS)

    def show_again(status: int, wrong: list[str]) -> Response:
        if not wrong:
            conflict = [{"text": words("clock.conflict"), "href": "#main-content"}]
            return _show(context, request, status, errors=conflict)
        empty = [{"text": words("clock.say_how"), "href": f"#{clock_id}"}]
        return _show(context, request, status, errors=empty, wrong=clock_id)

    def apply(change: Change) -> None:
        casework.stop(change, clock_id, version, fields.get("text", ""))

    return save_and_redirect(context.store, request, apply, place.address("/clocks", done="stopped"), show_again)


def _show(context: PageContext, request: Request, status: int = 200, wrong: str = "", **more: Any) -> Response:
    today = london_today()
    with context.store.view(request.state.caller) as view:
        counts = due_list.counts(view, today)
        place = Place.of(request.query_params, due_list.GROUPS).within(counts)
        shown = [place.group] if place.group else due_list.GROUPS
        groups = {g: due_list.part(view, g, today, place.most(), place.position) for g in shown}
        running = [d for part in groups.values() for d in part.rows]
        view.record("clocks.seen", pupils=dict.fromkeys(d["pupil_id"] for d in running))
        names = week_list.school_names(view)
        details = context.details(view, [d["pupil_id"] for d in running], "deadlines")
        since = enquiries.asked_since(view, {d["pupil_id"] for d in running if d["kind"] in enquiries.ASKING})
        asked = enquiries.by_side(view, since)
        confirmed = not_in_school.with_destination(view, since)
    for deadline in running:
        deadline["source"] = context.settings.source(deadline["kind"], deadline["started_on"])
        none_yet = dict.fromkeys(enquiries.SIDES, 0) if deadline["kind"] in enquiries.ASKING else None
        deadline["enquiries"] = asked.get(deadline["pupil_id"], none_yet) if none_yet else None
        deadline["destination"] = confirmed.get(deadline["pupil_id"])
    banner = context.renderer.words("clock.done") if request.query_params.get("done") else None
    return context.renderer.page(
        request,
        "deadlines",
        status,
        groups=groups,
        counts=counts,
        place=place,
        names=names,
        details=details,
        today=today,
        wrong=wrong,
        longest=casework.MAX_TEXT,
        banner=banner,
        **more,
    )


PAGE = Page(
    name="deadlines",
    route="/clocks",
    roles=IDENTITIES,
    sees="duties that are due, of children of the caller's scope and of its schools",
    handler=deadlines,
    menu=2,
    endpoints=(
        Endpoint(
            method="POST",
            route="/clocks/{clock_id}",
            handler=stop,
            sees="that a duty is done, of those that /clocks shows the caller",
        ),
    ),
)
