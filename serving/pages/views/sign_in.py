"""Sign-in and sign-out: a caller whom an authenticator recognises gets a session with a new secret."""

from __future__ import annotations

import secrets

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from serving.access.authenticators import authenticate
from serving.access.evidence import note_refusal
from serving.access.permission import OPEN
from serving.access.sessions import cookie, delete_cookie, set_cookie, token
from serving.http.problems import Problem
from serving.pages.context import Context, PageContext
from serving.pages.forms import Form
from serving.pages.page import Endpoint, Page
from serving.pages.rendering import HEADERS
from serving.roles import ROLES
from serving.store import Caller
from serving.store.sign_in.sessions import digest_of, end_session, open_session
from serving.store.sign_in.staff import AccountClosed, own_name, remember


def sign_in(request: Request, context: Context) -> Response:
    """Show the page."""
    return _show(context, request, request.query_params.get("next"))


def open_new_session(request: Request, fields: Form, context: Context) -> Response:
    """Open a session for a key, a development user, or the caller whom the request carries."""
    words, to = context.renderer.words, fields.get("next")
    credential = _credential(fields)
    try:
        caller = authenticate(context.authenticators, _with_credential(request, credential) if credential else request)
    except Problem as refused:
        note_refusal(context.store.refusals, request, refused, "POST /sign-in")
        return _show(context, request, to, words("sign_in.wrong"), 401)
    if caller is None:
        return _show(context, request, to, words("sign_in.wrong" if credential else "sign_in.nothing"), 400)
    try:
        with context.store.change(caller) as change:
            name = _name_at_work(request, caller) or own_name(change)
            remember(change, name)
            secret = open_session(change, name, digest_of(cookie(request) or ""))
    except AccountClosed:
        return _show(context, request, to, words("sign_in.wrong"), 401)
    answer = RedirectResponse(context.local_page(to), 303, HEADERS)
    set_cookie(request, answer, secret)
    return answer


def sign_out(request: Request, fields: Form, context: Context) -> Response:
    """End the session."""
    with context.store.change(request.state.caller) as change:
        end_session(change, cookie(request) or "")
    # Clear the browser's cache too, so that its back button shows no page.
    answer = RedirectResponse("/sign-in?ended", 303, {**HEADERS, "Clear-Site-Data": '"cache"'})
    delete_cookie(request, answer)
    return answer


def home(request: Request, context: Context) -> Response:
    """Redirect to the first page of the caller's role."""
    return RedirectResponse(context.home(request.state.caller.role), 303, HEADERS)


def _show(context: PageContext, request: Request, to: str | None, error: str = "", status: int = 200) -> Response:
    before, ended = cookie(request), "ended" in request.query_params
    carried = _carried(context, request)
    account = carried.key_id.partition(":")[2] if carried else ""
    secret = before or secrets.token_urlsafe(32)
    users = list(context.configuration.development)
    field = "#user" if users else "#key"
    errors = [{"text": error, "href": field}] if error else []
    page = context.renderer.page(
        request,
        "sign_in",
        status,
        users=users,
        keys=context.configuration.keys,
        carried=(_name_at_work(request, carried) or account) if carried else "",
        errors=errors,
        csrf=token(secret),
        ended=ended,
        provider=context.provider is not None,
        provider_out=context.provider.sign_out_address() if context.provider and ended else None,
        next=context.local_page(to),
        minutes=context.settings.idle_minutes,
    )
    if not before:
        set_cookie(request, page, secret)
    return page


def _carried(context: PageContext, request: Request) -> Caller | None:
    """Return the caller whom the request carries; None if their credentials are refused, so that they can sign in with others."""
    try:
        return authenticate(context.authenticators, request)
    except Problem:
        return None


def _name_at_work(request: Request, caller: Caller) -> str:
    """Return what a proxy calls its user; "" if it does not say, or somebody else signs in."""
    return getattr(request.state, "shown_as", "") if caller.key_id.startswith("proxy:") else ""


def _credential(fields: dict[str, str]) -> str:
    """Return the key that was typed, or the development user that was chosen, or ""."""
    if key := fields.get("key", "").strip():
        return key
    return f"dev:{fields['user']}" if fields.get("user") else ""


def _with_credential(request: Request, credential: str) -> Request:
    """Return the request with the credential as its bearer; a header that contradicts it stays, and is refused."""
    bearer = (b"authorization", f"Bearer {credential}".encode("latin-1", "replace"))
    return Request({**request.scope, "headers": [*request.scope["headers"], bearer]})


PAGE = Page(
    name="sign_in",
    route="/sign-in",
    roles=OPEN,
    sees="who may sign in, and how",
    handler=sign_in,
    endpoints=(
        Endpoint(method="POST", route="/sign-in", handler=open_new_session, sees="a session"),
        Endpoint(method="POST", route="/sign-out", handler=sign_out, roles=ROLES, sees="the end of a session"),
        Endpoint(method="GET", route="/", handler=home, roles=ROLES, sees="the first page of the role"),
    ),
)
