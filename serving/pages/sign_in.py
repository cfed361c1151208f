"""Signing in and out: whoever another way in knows gets a session, under a secret that did not exist before."""

from __future__ import annotations

import secrets

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from serving.access.authenticators import Authenticator, first
from serving.access.sessions import cookie, give, take, token
from serving.http.problems import Problem
from serving.pages.forms import Form
from serving.pages.rendering import HEADERS, Renderer
from serving.store import Caller, Store
from serving.store.sign_in.sessions import end_session, open_session
from serving.store.sign_in.staff import remember

HOME = {"worker": "/work-list", "lead": "/work-list", "administrator": "/work-list", "analyst": "/model"}


def routes(store: Store, ways: list[Authenticator], users: list[str], keys: bool, pages: Renderer) -> APIRouter:
    """Return the routes of signing in and out.

    Parameters
    ----------
    store : Store
    ways : list of Authenticator
        The ways in that give a session.
    users : list of str
        Names of development users.
    keys : bool
        Whether a key gives one.
    pages : Renderer
    """
    router = APIRouter(include_in_schema=False)

    def carried(request: Request) -> Caller | None:
        return first(ways, request)

    def form(request: Request, error: str = "", status: int = 200) -> Response:
        before = cookie(request)
        secret = before or secrets.token_urlsafe(32)
        errors = [{"text": error, "href": "#user" if users else "#key"}] if error else []
        page = pages.page(
            request,
            "sign_in",
            status,
            users=users,
            keys=keys,
            carried=carried(request),
            errors=errors,
            csrf=token(secret),
            ended="ended" in request.query_params,
            minutes=pages.settings.idle_minutes,
        )
        if not before:
            give(request, page, secret)
        return page

    @router.get("/sign-in")
    def ask(request: Request) -> Response:
        return form(request)

    @router.post("/sign-in")
    def sign_in(request: Request, fields: Form) -> Response:
        said = fields.get("key", "").strip() or (f"dev:{fields['user']}" if fields.get("user") else "")
        try:
            caller = carried(_saying(request, said) if said else request)
        except Problem:
            return form(request, pages.words("sign_in.wrong"), 401)
        if caller is None:
            return form(request, pages.words("sign_in.wrong" if said else "sign_in.nothing"), 400)
        name = caller.key_id.partition(":")[2] or caller.key_id
        with store.change(caller) as change:
            remember(change, name)
            secret = open_session(change, name, before=cookie(request))
        answer = RedirectResponse("/", 303, HEADERS)
        give(request, answer, secret)
        return answer

    @router.post("/sign-out")
    def sign_out(request: Request, fields: Form) -> Response:
        with store.change(request.state.caller) as change:
            end_session(change, cookie(request) or "")
        # What the browser kept of the pages goes too, so that its back button shows none.
        answer = RedirectResponse("/sign-in?ended", 303, {**HEADERS, "Clear-Site-Data": '"cache"'})
        take(request, answer)
        return answer

    @router.get("/")
    def home(request: Request) -> Response:
        return RedirectResponse(HOME[request.state.caller.role], 303, HEADERS)

    return router


def _saying(request: Request, said: str) -> Request:
    """Return the request as if it carried what was typed; a header that says something else stays with it and is refused."""
    bearer = (b"authorization", f"Bearer {said}".encode("latin-1", "replace"))
    return Request({**request.scope, "headers": [*request.scope["headers"], bearer]})
