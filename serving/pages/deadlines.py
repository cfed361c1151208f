"""Duties with a day by which they are due: overdue first, and a child whom nobody looks for above all."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from serving.pages.context import PageContext
from serving.pages.forms import Form, done, version_of
from serving.store.cases import casework
from serving.store.scores import week_list
from serving.store.unit_of_work import Change

SOON = timedelta(days=7)


def routes(desk: PageContext) -> APIRouter:
    """Return the routes of the clocks."""
    router = APIRouter(include_in_schema=False)

    @router.get("/clocks")
    def clocks(request: Request) -> Response:
        return _show(desk, request)

    @router.post("/clocks/{clock_id}")
    def stop(clock_id: str, request: Request, fields: Form) -> Response:
        w, version = desk.pages.words, version_of(fields)

        def again(status: int, wrong: list[str]) -> Response:
            if not wrong:
                return _show(desk, request, status, errors=[{"text": w("clock.conflict"), "href": "#main-content"}])
            said = [{"text": w("clock.say_how"), "href": f"#{clock_id}"}]
            return _show(desk, request, status, errors=said, wrong=clock_id)

        def stopped(change: Change) -> None:
            casework.stop(change, clock_id, version, fields.get("text", ""))

        return done(desk.store, request, stopped, "/clocks?done=stopped", again)

    return router


def _show(desk: PageContext, request: Request, status: int = 200, wrong: str = "", **more: Any) -> Response:
    today = date.today()
    with desk.store.view(request.state.caller) as view:
        running, lost = casework.deadlines(view), casework.count_lost(view, today)
        names = week_list.school_names(view)
    first = [c for c in running if c["kind"] == casework.LOST and c["due_on"] < today]
    rest = sorted((c for c in running if c not in first), key=lambda c: c["due_on"])
    groups = {
        "lost": first,
        "late": [c for c in rest if c["due_on"] < today],
        "soon": [c for c in rest if today <= c["due_on"] <= today + SOON],
        "later": [c for c in rest if c["due_on"] > today + SOON],
    }
    sources = {kind: c.source for kind, c in desk.settings.clocks.items()}
    banner = desk.pages.words("clock.done") if request.query_params.get("done") else None
    return desk.pages.page(
        request,
        "clocks",
        status,
        groups=groups,
        names=names,
        sources=sources,
        today=today,
        lost=lost,
        wrong=wrong,
        more=len(running) if len(running) >= casework.MAX else 0,
        longest=casework.MAX_TEXT,
        banner=banner,
        **more,
    )
