"""Authenticate each request and check the table of permissions; refuse every route without a permission."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from starlette.requests import Request

from serving.access.authenticators import Authenticator, KeyAuthenticator, OpenAccounts, authenticate
from serving.access.configuration import Configuration
from serving.access.current import CurrentAccess
from serving.access.development import DevelopmentUsers, refuse_forwarded
from serving.access.evidence import note_refusal
from serving.access.permission import Permission
from serving.access.permissions import find
from serving.access.provider import Provider
from serving.access.proxy import TrustedProxy
from serving.access.rate_limit import Buckets
from serving.access.shares import Shares
from serving.access.tokens import Tokens
from serving.http.problems import Problem, no_database
from serving.http.turns import Turns
from serving.store import Caller, Store, Unavailable
from serving.store.ledger.refusals import Refusals

NO_CREDENTIALS = "Send 'Authorization: Bearer KEY' with a valid key."
ROLE_REFUSED = "This role has no permission for this route."


def configured_authenticators(access: CurrentAccess, store: Store, host: str | None) -> list[Authenticator]:
    """Return the configured authenticators, in the order in which they are tried."""
    authenticators: list[Authenticator] = []
    configuration = access.configuration
    if configuration.keys:
        authenticators.append(KeyAuthenticator(store))
    if configuration.development:
        authenticators.append(DevelopmentUsers(lambda: access.configuration.development, host))
    if configuration.tokens:
        authenticators.append(OpenAccounts(Tokens(configuration.tokens, configuration, access), store))
    if configuration.proxy:
        authenticators.append(OpenAccounts(TrustedProxy(configuration.proxy, configuration, access), store))
    return authenticators


def provider_of(configuration: Configuration, authenticators: list[Authenticator]) -> Provider | None:
    """Return the identity provider at which people sign in to the pages, with the keys that verify its tokens; None without [sign_in]."""
    if configuration.sign_in is None:
        return None
    inner = (a.authenticator for a in authenticators if isinstance(a, OpenAccounts))
    tokens = next(authenticator for authenticator in inner if isinstance(authenticator, Tokens))
    return Provider(configuration.sign_in, configuration, tokens)


def takes_turns(rule: Permission) -> bool:
    """Return whether callers take turns for the answers of a route."""
    return rule.dear


async def _whole(receive: Any) -> Any:
    """Wait until a body is whole, since one that still arrives is no work, and return what gives it out again."""
    messages = deque([await receive()])
    while messages[-1]["type"] == "http.request" and messages[-1].get("more_body"):
        messages.append(await receive())

    async def again() -> Any:
        return messages.popleft() if messages else await receive()

    return again


class AccessMiddleware:
    """ASGI middleware in front of the routes; no body is read before its caller is admitted.

    An admitted request carries its ``Caller`` as ``request.state.caller`` (None on open routes).
    """

    def __init__(
        self,
        app: Any,
        authenticators: list[Authenticator],
        sessions: Authenticator,
        buckets: Buckets,
        refusals: Refusals,
    ) -> None:
        self.app, self.authenticators, self.sessions = app, authenticators, sessions
        self.buckets, self.refusals = buckets, refusals
        self.shares, self.turns = Shares(), Turns("answered")
        self.local_only = any(isinstance(a, DevelopmentUsers) for a in authenticators)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Admit one request, or answer with the reason for refusal."""
        async with AsyncExitStack() as place:
            if scope["type"] == "http":
                try:
                    rule = await self._admit(scope)
                    if scope["state"]["caller"] is not None and not rule.is_open:
                        receive = receive if rule.method == "GET" else await _whole(receive)
                        await self._place(scope, rule, place)
                except (Problem, Unavailable) as refused:
                    problem = refused if isinstance(refused, Problem) else no_database()
                    await problem.response()(scope, receive, send)
                    return

            async def answering(message: Any) -> None:
                await place.aclose()  # an answer is no work, and who reads it slowly holds up nobody
                await send(message)

            await self.app(scope, receive, answering)

    async def _place(self, scope: Any, rule: Permission, place: AsyncExitStack) -> None:
        """Wait for the turn of an authenticated caller, within the caller's share, until ``place`` is closed."""
        caller = scope["state"]["caller"]
        try:
            place.enter_context(self.shares.one(caller.key_id))
            if takes_turns(rule):
                await place.enter_async_context(self.turns.turn(caller.key_id))
        except Problem as refused:
            route = f"{rule.method} {rule.route}"
            note = partial(note_refusal, self.refusals, Request(scope), refused, route, caller=caller)
            await asyncio.to_thread(note)
            raise

    async def _admit(self, scope: Any) -> Permission:
        rule, methods = find(scope["method"], scope["path"])
        if self.local_only:
            refuse_forwarded(Request(scope))
        if not methods:
            raise Problem(404, "See /api/v1/openapi.json for the routes.")
        if rule is None:
            raise Problem(405, "See /api/v1/openapi.json for the routes.", headers={"Allow": ", ".join(methods)})
        scope.setdefault("state", {})["caller"] = None
        if not rule.is_open:
            # A key is looked up in the database and a token's signers may have to be fetched: neither on the event loop,
            # nor with the threads of the routes: while those wait for the database, others still learn that they have to wait.
            scope["state"]["caller"] = await asyncio.to_thread(self._caller, Request(scope), rule)
        elif rule.page:
            scope["state"]["caller"] = await asyncio.to_thread(self._reader, Request(scope))
        return rule

    def _reader(self, request: Request) -> Caller | None:
        """Return the reader of an open page, so that it can show their menu."""
        try:
            return self.sessions.caller(request)
        except Problem:
            return None

    def _caller(self, request: Request, rule: Permission) -> Caller:
        caller = None
        try:
            authenticators = [self.sessions] if rule.page else self.authenticators
            caller = authenticate(authenticators, request)
            if caller is None:
                raise Problem(401, NO_CREDENTIALS)
            seconds = self.buckets.wait(caller.key_id)
            if seconds:
                raise Problem(429, "Wait before the next request.", headers={"Retry-After": str(math.ceil(seconds))})
            if caller.role not in rule.roles:
                raise Problem(403, ROLE_REFUSED)
        except Problem as refused:
            note_refusal(self.refusals, request, refused, f"{rule.method} {rule.route}", caller)
            raise
        return caller
