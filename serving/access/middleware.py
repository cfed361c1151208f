"""The door: finds out who calls, looks the route up in the table of rules, and lets nothing through that has no rule."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from starlette.requests import Request

from serving.access.authenticators import Authenticator, KeyAuthenticator, first
from serving.access.configuration import Configuration
from serving.access.development import DevelopmentUsers
from serving.access.permission import Permission
from serving.access.permissions import find
from serving.access.proxy import TrustedProxy
from serving.access.rate_limit import Buckets
from serving.access.tokens import Tokens
from serving.http.problems import Problem, no_database
from serving.store import Caller, Store, Unavailable
from serving.store.ledger.refusals import Refusals

SAY_WHO = "Send 'Authorization: Bearer KEY' with a key that is neither expired nor revoked."
NOT_THIS_ROLE = "The role of this caller does not see what is behind this route."


def ways_in(configuration: Configuration, store: Store, host: str | None) -> list[Authenticator]:
    """Return the ways in that are configured, in the order in which they are asked."""
    ways: list[Authenticator] = []
    if configuration.keys:
        ways.append(KeyAuthenticator(store))
    if configuration.development:
        ways.append(DevelopmentUsers(configuration.development, host))
    if configuration.tokens:
        ways.append(Tokens(configuration.tokens, configuration))
    if configuration.proxy:
        ways.append(TrustedProxy(configuration.proxy, configuration))
    return ways


class AccessMiddleware:
    """ASGI middleware before the routes: the body of a request that is refused here is never read.

    A request that is let in carries its ``Caller`` as ``request.state.caller`` (None on open routes without one).
    """

    def __init__(
        self, app: Any, ways: list[Authenticator], sessions: Authenticator, buckets: Buckets, refusals: Refusals
    ) -> None:
        self.app, self.ways, self.sessions, self.buckets, self.refusals = app, ways, sessions, buckets, refusals

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Let one request in, or answer why not."""
        if scope["type"] == "http":
            try:
                await self._admit(scope)
            except (Problem, Unavailable) as refused:
                problem = refused if isinstance(refused, Problem) else no_database()
                await problem.response()(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _admit(self, scope: Any) -> None:
        rule, methods = find(scope["method"], scope["path"])
        if not methods:
            raise Problem(404, "See /api/v1/openapi.json for what there is.")
        if rule is None:
            raise Problem(405, "See /api/v1/openapi.json for what there is.", headers={"Allow": ", ".join(methods)})
        scope.setdefault("state", {})["caller"] = None
        if not rule.is_open:
            # A key is looked up in the database and a token's signers may have to be fetched: neither on the event loop,
            # nor with the threads of the routes: while those wait for the database, others still learn that they have to wait.
            scope["state"]["caller"] = await asyncio.to_thread(self._caller, Request(scope), rule)
        elif rule.page:
            scope["state"]["caller"] = await asyncio.to_thread(self._reader, Request(scope))

    def _reader(self, request: Request) -> Caller | None:
        """Return who reads a page that is open to everybody, so that it can have their menu."""
        try:
            return self.sessions.caller(request)
        except Problem:
            return None

    def _caller(self, request: Request, rule: Permission) -> Caller:
        caller = None
        try:
            ways = [self.sessions] if rule.page else self.ways
            caller = first(ways, request)
            if caller is None:
                raise Problem(401, SAY_WHO)
            seconds = self.buckets.wait(caller.key_id)
            if seconds:
                raise Problem(429, "Wait before the next request.", headers={"Retry-After": str(math.ceil(seconds))})
            if caller.role not in rule.roles:
                raise Problem(403, NOT_THIS_ROLE)
        except Problem as refused:
            self.refusals.refused(caller, refused.status, f"{rule.method} {rule.route}")
            request.state.refusal_recorded = True
            raise
        return caller
