"""The outermost layer: size and time limits, content types, request ids, security headers, and a last-resort answer."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import Any

from serving.access.permission import Permission
from serving.access.permissions import find
from serving.http.addresses import ADDRESS, note_address, request_id_of
from serving.http.bodies import Bodies
from serving.http.exchange import BUSY, CLOSE, Exchange
from serving.http.problems import LOGGED, PAGE, REQUEST_ID, Problem
from serving.http.schemas import ARROW
from serving.http.work import LEFT, Work
from serving.store.ledger.refusals import Refusals
from serving.telemetry import metrics, tracing

log = logging.getLogger("onroll.guard")
LIMIT = 32 * 1024 * 1024  # bytes of any body
ANSWER_SECONDS, BODY_SECONDS = 90.0, 30.0  # time limits for the answer to begin, and for the body to arrive
# Statuses that the audit records as refusals; 409 and 422 refuse nobody, they ask for a different request.
REFUSALS = (400, 401, 403, 404, 405, 408, 413, 415, 429)
PROBES = ("/livez", "/readyz", "/metrics")


class Guard:
    """ASGI middleware around the whole application.

    Parameters
    ----------
    app : ASGI application
    limit : int
        Maximum size of any body in bytes.
    answer_seconds, body_seconds : float
    routes : ASGI application, optional
        The part of ``app`` that answers requests, so that routes which a framework adds around it cannot be reached.
    people : optional
        Renders problems as pages for people; see ``serving.pages.refused``.
    refusals : Refusals, optional
        Records refusals that the access middleware has not recorded.
    """

    def __init__(
        self,
        app: Any,
        limit: int = LIMIT,
        answer_seconds: float = ANSWER_SECONDS,
        body_seconds: float = BODY_SECONDS,
        routes: Any = None,
        *,
        people: Any = None,
        refusals: Refusals | None = None,
    ) -> None:
        self.app, self.routes, self.limit, self.people = app, routes or app, limit, people
        self.refusals = refusals
        self.answer_seconds, self.body_seconds = answer_seconds, body_seconds
        self.bodies, self.work = Bodies(), Work()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, now = time.perf_counter(), time.time_ns()
        rule, _ = find(scope["method"], scope["path"])
        request_id = request_id_of(scope)
        REQUEST_ID.set(request_id)
        note_address(scope)
        from_person = self.people is not None and self.people.for_people(scope)
        PAGE.set(partial(self.people.answer, scope) if from_person else None)
        most = min(self.limit, rule.most if rule else 0)
        until = asyncio.get_running_loop().time() + self.body_seconds
        exchange = Exchange(
            incoming=receive,
            outgoing=send,
            request_id=request_id,
            most=most,
            until=until,
            address=(scope.get("client") or ("", 0))[0],
            bodies=self.bodies,
            work=self.work,
            state=scope.setdefault("state", {}),
            counted=scope["path"] not in PROBES,
            on_status=partial(self._refused, scope, rule),
        )
        metrics.began(_template(scope, rule)[1])
        try:
            problem = _refusal(scope, rule, most)
            if problem is None and scope["method"] == "GET" and exchange.counted and self.work.is_full():
                problem = BUSY
            if problem is not None:
                await exchange.answer(scope, problem)
            else:
                kinds = [value for name, value in scope["headers"] if name == b"content-type"]
                exchange.body.is_text = _content_type(kinds)[0] != ARROW
                await self._within(scope, exchange)
        finally:
            _record(scope, rule, exchange, start, now)

    async def _refused(self, scope: Any, rule: Permission | None, status: int) -> None:
        """Record a refusal in the audit before it is answered."""
        state = scope.get("state", {})
        if self.refusals is None or status not in REFUSALS or state.get("refusal_recorded"):
            return
        caller = state.get("caller")
        # Not with the threads of the routes, which may all be waiting.
        await asyncio.to_thread(self.refusals.refused, caller, status, " ".join(_template(scope, rule)))

    async def _within(self, scope: Any, exchange: Exchange) -> None:
        """Let the application answer, in its own task so that it can time out."""
        LEFT.set(partial(self.work.left, exchange))
        task = exchange.task = asyncio.ensure_future(self.routes(scope, exchange.receive, exchange.send))
        if scope["method"] != "GET":
            self.bodies.begin(exchange.body)
        elif exchange.counted:
            self.work.begin(exchange)
        task.add_done_callback(partial(self._done, exchange))
        try:
            # The time for the answer starts when the body is complete, at the latest after body_seconds.
            await asyncio.wait({task}, timeout=self.body_seconds + self.answer_seconds)
            if exchange.answering:
                await asyncio.wait({task})  # for the client, who has a limit of its own: ``connections.READ_SECONDS``
        finally:
            if not task.done():
                task.cancel()  # a computing thread runs to its end, and its request counts as open until then
        if not task.done():
            log.error("a request took too long")
            problem = Problem(503, "The answer took too long; request less.", headers={"Retry-After": "10"})
            await exchange.answer(scope, problem)
        elif exchange.refused is not None:
            await exchange.answer(scope, exchange.refused)
        elif task.exception() is not None:
            log.error("a request failed", exc_info=task.exception())
            await exchange.answer(scope, Problem(500, LOGGED))

    def _done(self, exchange: Exchange, task: asyncio.Future[None]) -> None:
        self.work.end(exchange)
        self.bodies.end(exchange.body)
        if not task.cancelled():
            task.exception()  # retrieved, so that the event loop does not log it


def _refusal(scope: Any, rule: Permission | None, most: int) -> Problem | None:
    """Return what is wrong with the headers of a request, before its body is read."""
    headers: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name, []).append(value)
    lengths = headers.get(b"content-length", [])
    if len(lengths) > 1 or (lengths and b"transfer-encoding" in headers) or not all(x.isdigit() for x in lengths):
        return Problem(400, "The length of the body is ambiguous.", headers=CLOSE)
    if rule is None:
        return None  # the access middleware answers, and reads no body
    if lengths and (len(lengths[0]) > 18 or int(lengths[0]) > most):
        return Problem(413, f"The maximum is {most} bytes.")
    if scope["method"] == "GET":
        return None
    kind, charset = _content_type(headers.get(b"content-type", []))
    if kind not in rule.reads or charset not in ("", "utf-8"):
        return Problem(415, f"Send {' or '.join(rule.reads)}, texts in UTF-8.")
    if b"content-encoding" in headers:
        return Problem(415, "Send the body uncompressed.")
    return None


def _content_type(values: list[bytes]) -> tuple[str, str]:
    """Return the content type and the character set that a header states once; empty if it does not."""
    kind, _, more = (values[0] if len(values) == 1 else b"").lower().decode("latin-1").partition(";")
    return kind.strip(), more.strip().removeprefix("charset=").strip('" ')


def _template(scope: Any, rule: Permission | None) -> tuple[str, str]:
    """Return the method and the route template; the raw ones could hold a pupil's number."""
    return scope["method"] if scope["method"] in ("GET", "POST") else "other", rule.route if rule else "unmatched"


def _record(scope: Any, rule: Permission | None, exchange: Exchange, start: float, now: int) -> None:
    """Write the log line, metrics and span of a request, by route template."""
    method, route = _template(scope, rule)
    seconds = time.perf_counter() - start
    caller = scope.get("state", {}).get("caller") or scope.get("state", {}).get("refused")
    log.info(
        "request",
        extra={
            "fields": {
                "request_id": exchange.request_id,
                "method": method,
                "route": route,
                "status": exchange.status,
                "ms": round(seconds * 1000, 1),
                "bytes": exchange.body.size,
                "caller": caller.key_id if caller else None,
                "address": ADDRESS.get(),
            }
        },
    )
    metrics.count(method, route, exchange.status, seconds)
    tracing.record(
        scope=scope, method=method, route=route, status=exchange.status, start=now, request_id=exchange.request_id
    )
