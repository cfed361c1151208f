"""Sign-in at the identity provider: there, back with a code, and on to the page that was asked for."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from typing import Any

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from serving.access import attempt as attempts
from serving.access import sessions
from serving.access.attempt import Attempt
from serving.access.authenticators import CredentialRefused
from serving.access.evidence import note_refusal
from serving.access.permission import OPEN
from serving.access.provider import Provider
from serving.access.sign_in_settings import CALLBACK
from serving.http.problems import REQUEST_ID, Problem
from serving.pages.context import Context, PageContext
from serving.pages.page import Endpoint, Page
from serving.pages.rendering import HEADERS
from serving.store import Caller
from serving.store.sign_in.answers import take_once
from serving.store.sign_in.sessions import open_session
from serving.store.sign_in.staff import AccountClosed, remember

log = logging.getLogger("onroll.access")
BEGIN, DONE = "/sign-in/provider", "/sign-in/done"
# No address of a sign-in, which may hold a code, is told to the next page.
QUIET = {**HEADERS, "Referrer-Policy": "no-referrer"}
MOST = 4096  # characters of a code
OWN_PAGES = ("same-origin", "none")  # a page of this service, or an address that somebody typed
# What providers say when they sign nobody in (RFC 6749, 4.1.2.1; OpenID Connect Core, 3.1.2.6): only these reach the log.
ERRORS = (
    "access_denied",
    "account_selection_required",
    "consent_required",
    "interaction_required",
    "invalid_request",
    "invalid_scope",
    "login_required",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_response_type",
)


async def begin(request: Request, context: Context) -> Response:
    """Lead the browser to the provider, with a cookie that its answer must fit."""
    provider = _provider(context)
    if request.headers.get("sec-fetch-site", "none") not in OWN_PAGES:
        return RedirectResponse("/sign-in", 303, QUIET)  # another site cannot begin a sign-in
    before = sessions.cookie(request)
    digest = hashlib.sha256(before.encode()).hexdigest() if before else ""
    attempt, key = Attempt.new(context.local_page(request.query_params.get("next")), digest), _key(context)
    try:
        address = await asyncio.to_thread(provider.address, attempt, key)
    except Problem as silent:
        return _failed(context, request, silent)
    answer = RedirectResponse(address, 303, QUIET)
    attempts.give(request, answer, attempt, key)
    return answer


async def callback(request: Request, context: Context) -> Response:
    """Take the provider's answer, once, and open a session."""
    provider, key = _provider(context), _key(context)
    try:
        attempt = attempts.held(request, key)
        sent = _answer(request, attempt, key)
        if attempt is None or not await asyncio.to_thread(take_once, context.store.engine, attempt.state(key)):
            raise Lost
        if "error" in sent or not 0 < len(sent.get("code", "")) <= MOST:
            error = sent.get("error")
            log.warning("the identity provider signed nobody in: %s", error if error in ERRORS else "another error")
            raise Declined
        caller, name = await provider.redeem(sent["code"], sent.get("iss"), attempt, key)
        secret = await asyncio.to_thread(_session, context, caller, name, attempt.before)
    except Problem as refused:
        answer = await asyncio.to_thread(_failed, context, request, refused)
    else:
        answer = RedirectResponse(f"{DONE}?next={attempt.to}" if attempt.to != "/" else DONE, 303, QUIET)
        sessions.give(request, answer, secret)
    attempts.take(request, answer)
    return answer


def done(request: Request, context: Context) -> Response:
    """Lead on to the page that was asked for.

    The session's cookie is not sent while the provider's site leads the browser; from a page of this service it is.
    """
    to = context.local_page(request.query_params.get("next"))
    page = context.renderer.plain("provider_sign_in", failure="", to=to, request_id=None)
    page.headers.update({"Referrer-Policy": "no-referrer", "Refresh": f"0; url={to}"})
    return page


class Lost(CredentialRefused):
    """An answer that belongs to no attempt of this browser, or was taken before."""

    def __init__(self) -> None:
        super().__init__("The answer belongs to no attempt of this browser.", "unknown")


class Declined(CredentialRefused):
    """The provider signed nobody in."""

    def __init__(self) -> None:
        super().__init__("The provider signed nobody in.", "invalid")


def _provider(context: PageContext) -> Provider:
    if context.provider is None:
        raise Problem(404)
    return context.provider


def _key(context: PageContext) -> bytes:
    return context.store.chain.current.sign_in


def _answer(request: Request, attempt: Attempt | None, key: bytes) -> dict[str, str]:
    """Return the provider's answer to an attempt; a repeated parameter, or another state, is nobody's answer."""
    pairs = request.query_params.multi_items()
    sent = dict(pairs)
    state = sent.get("state", "")
    if attempt is None or len(pairs) != len(sent) or not _equal(state, attempt.state(key)):
        raise Lost
    return sent


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _session(context: PageContext, caller: Caller, name: str, before: str) -> str:
    try:
        with context.store.change(caller) as change:
            remember(change, name)
            return open_session(change, name, before_digest=before)
    except AccountClosed:
        raise CredentialRefused("The account is closed.", "closed", caller) from None


def _failed(context: PageContext, request: Request, refused: Problem) -> Response:
    """Record a refusal, and say what to do now."""
    note_refusal(context.store.refusals, request, refused, f"GET {request.url.path}")
    failure = _failure(refused)
    page = context.renderer.plain(
        "provider_sign_in", refused.status, failure=failure, to="/sign-in", request_id=REQUEST_ID.get()
    )
    page.headers.update({"Referrer-Policy": "no-referrer", **(refused.headers or {})})
    return page


def _failure(refused: Problem) -> str:
    """Return which part of the wording says what happened."""
    kinds: dict[Any, str] = {Lost: "lost", Declined: "declined"}
    if isinstance(refused, CredentialRefused) and refused.reason == "closed":
        return "closed"
    return kinds.get(type(refused), {403: "rights", 503: "silent"}.get(refused.status, "invalid"))


PAGE = Page(
    name="provider_sign_in",
    route=DONE,
    roles=OPEN,
    sees="the way on after signing in at the identity provider",
    handler=done,
    endpoints=(
        Endpoint(method="GET", route=BEGIN, handler=begin, sees="the way to the identity provider"),
        Endpoint(method="GET", route=CALLBACK, handler=callback, sees="a session, for the identity provider's answer"),
    ),
)
