"""Sign-in at the identity provider: there, back with a code, and on to the page that was asked for."""

from __future__ import annotations

import asyncio
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
from serving.access.places import Busy
from serving.access.provider import Provider
from serving.access.sign_in_settings import CALLBACK
from serving.http.addresses import ADDRESS
from serving.http.problems import REQUEST_ID, Problem
from serving.http.work import waiting_for_others
from serving.pages.context import Context, PageContext
from serving.pages.local_page import HOME, sign_in_address
from serving.pages.page import Endpoint, Page
from serving.pages.rendering import HEADERS
from serving.store import Caller
from serving.store.sign_in.answers import take_once
from serving.store.sign_in.sessions import digest_of, open_session
from serving.store.sign_in.staff import AccountClosed, remember

log = logging.getLogger("onroll.access")
BEGIN, ON = "/sign-in/provider", "/sign-in/done"
# No address of a sign-in, which may hold a code, is told to the next page.
NO_REFERRER = {**HEADERS, "Referrer-Policy": "no-referrer"}
MAX_CODE = 4096  # characters
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
    provider, to = _provider(context), context.local_page(request.query_params.get("next"))
    if not _from_own_page(request):
        return RedirectResponse(sign_in_address(to), 303, NO_REFERRER)
    attempt, key = Attempt.new(to, digest_of(sessions.cookie(request) or "")), context.store.chain.current.sign_in
    try:
        with waiting_for_others(), provider.waiting_room.seat(ADDRESS.get()):
            await provider.settled()
        address = await asyncio.to_thread(provider.address, attempt, key)
    except Problem as no_answer:
        return await asyncio.to_thread(_failed, context, request, no_answer, to)
    answer = RedirectResponse(address, 303, NO_REFERRER)
    attempts.set_cookie(request, answer, attempt, key)
    return answer


async def callback(request: Request, context: Context) -> Response:
    """Take the provider's answer, once, and open a session.

    The attempt goes on, and its cookie stays, until an answer to it was taken: neither another tab nor a link of another site ends it.
    """
    provider = _provider(context)
    attempt, key = await asyncio.to_thread(_attempt, request, context)
    to = attempt.to if attempt else HOME
    params = _answer_to(request, attempt, key)
    if attempt is None or params is None:
        return await asyncio.to_thread(_failed, context, request, UnknownAttempt(), to)
    try:
        caller, name = await _signed_in(context, provider, params, attempt, key)
        secret = await asyncio.to_thread(_session, context, caller, name, attempt.before)
    except Busy as busy:
        return await asyncio.to_thread(_failed, context, request, busy, to)
    except Problem as refused:
        answer = await asyncio.to_thread(_failed, context, request, refused, to)
    else:
        answer = RedirectResponse(f"{ON}?next={to}" if to != HOME else ON, 303, NO_REFERRER)
        sessions.set_cookie(request, answer, secret)
    attempts.delete_cookie(request, answer)
    return answer


async def _signed_in(
    context: PageContext, provider: Provider, params: dict[str, str], attempt: Attempt, key: bytes
) -> tuple[Caller, str]:
    """Return who signed in, and their name; what costs a write or a question to the provider first needs a place."""
    if "error" in params or not 0 < len(params.get("code", "")) <= MAX_CODE:
        error = params.get("error")
        log.warning("the identity provider signed nobody in: %s", error if error in ERRORS else "another error")
        raise Declined
    with waiting_for_others():
        with provider.waiting_room.seat(ADDRESS.get()):
            await provider.ready()
        async with provider.places.place(ADDRESS.get()):
            if not await asyncio.to_thread(take_once, context.store.engine, attempt.state(key)):
                raise UnknownAttempt
            return await provider.redeem(params["code"], params.get("iss"), attempt, key)


def go_on(request: Request, context: Context) -> Response:
    """Lead on to the page that was asked for.

    The session's cookie is not sent while the provider's site leads the browser; from a page of this service it is.
    """
    _provider(context)
    to = context.local_page(request.query_params.get("next"))
    page = context.renderer.plain("provider_sign_in", failure="", to=to, request_id=None)
    page.headers.update({"Referrer-Policy": "no-referrer", "Refresh": f"0; url={to}"})
    return page


class UnknownAttempt(CredentialRefused):
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


def _from_own_page(request: Request) -> bool:
    """Return whether a page of this service leads here; a browser that says nothing of the site tells the page (see ``HEADERS``)."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("referer", "").split("/")[2:3] == [request.headers.get("host", "")]


def _attempt(request: Request, context: PageContext) -> tuple[Attempt | None, bytes]:
    """Return the attempt that the browser holds, and the key that signed it.

    Another worker may have signed it, and may know of a newer audit key, or not yet of the newest one.
    """
    chain = context.store.chain
    for _ in range(2):
        if signed := attempts.read_cookie(request, [link.sign_in for link in chain.links[:-3:-1]]):
            return signed
        if not attempts.has_cookie(request):
            break
        chain.reload()
    return None, b""


def _answer_to(request: Request, attempt: Attempt | None, key: bytes) -> dict[str, str] | None:
    """Return the provider's answer to an attempt; None for a repeated parameter, or another state: that is nobody's answer."""
    pairs = request.query_params.multi_items()
    params = dict(pairs)
    if attempt is None or len(pairs) != len(params) or not _equal(params.get("state", ""), attempt.state(key)):
        return None
    return params


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _session(context: PageContext, caller: Caller, name: str, before: str) -> str:
    try:
        with context.store.change(caller) as change:
            remember(change, name)
            return open_session(change, name, before)
    except AccountClosed:
        raise CredentialRefused("The account is closed.", "closed", caller) from None


def _failed(context: PageContext, request: Request, refused: Problem, to: str) -> Response:
    """Record a refusal, and say what to do now."""
    note_refusal(context.store.refusals, request, refused, f"GET {request.url.path}")
    page = context.renderer.plain(
        "provider_sign_in",
        refused.status,
        failure=_failure(refused),
        to=sign_in_address(to),
        request_id=REQUEST_ID.get(),
    )
    page.headers.update({"Referrer-Policy": "no-referrer", **(refused.headers or {})})
    return page


def _failure(refused: Problem) -> str:
    """Return which part of the wording says what happened."""
    kinds: dict[Any, str] = {UnknownAttempt: "lost", Declined: "declined", Busy: "busy"}
    if isinstance(refused, CredentialRefused) and refused.reason == "closed":
        return "closed"
    return kinds.get(type(refused), {403: "rights", 503: "silent"}.get(refused.status, "invalid"))


PAGE = Page(
    name="provider_sign_in",
    route=ON,
    roles=OPEN,
    sees="the way on after signing in at the identity provider",
    handler=go_on,
    endpoints=(
        Endpoint(method="GET", route=BEGIN, handler=begin, sees="the way to the identity provider"),
        Endpoint(method="GET", route=CALLBACK, handler=callback, sees="a session, for the identity provider's answer"),
    ),
)
