"""The outermost layer: size and time limits, content types, request ids, security headers, and a last-resort answer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from serving.access.permission import Permission
from serving.access.permissions import find
from serving.http.addresses import ADDRESS, note_address, request_id_of
from serving.http.bodies import Bodies, Body
from serving.http.problems import LOGGED, PAGE, REQUEST_ID, Problem
from serving.http.schemas import ARROW, MAX_PUPILS, MAX_ROWS
from serving.store.ledger.refusals import Refusals
from serving.telemetry import metrics, tracing

log = logging.getLogger("onroll.guard")
LIMIT = 32 * 1024 * 1024  # bytes of any body
ANSWER_SECONDS, BODY_SECONDS = 90.0, 30.0  # time limits for the answer to begin, and for the body to arrive
DISCONNECT_SECONDS = 1.0  # longest time the server takes to report that a connection has ended
MAX_AT_ONCE = 64  # requests that one worker works on; one whose body is still arriving is not among them
# Statuses that the audit records as refusals; 409 and 422 refuse nobody, they ask for a different request.
REFUSALS = (400, 401, 403, 404, 405, 408, 413, 415, 429)
PROBES = ("/livez", "/readyz", "/metrics")
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"cache-control": b"no-store",
    b"referrer-policy": b"no-referrer",
    b"x-frame-options": b"DENY",
    b"content-security-policy": b"default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"strict-transport-security": b"max-age=31536000",  # browsers heed it only over TLS, which the proxy ends
}
TOO_MANY = Problem(413, f"Send at most {MAX_PUPILS} pupils and {MAX_ROWS} rows in a request.")
CLOSE = {"Connection": "close"}
BUSY = Problem(503, "The service is busy; try again.", headers={"Retry-After": "2"})
LATE = Problem(408, "The body did not arrive in time.", headers=CLOSE)
CROWDED_OUT = Problem(408, "Too many bodies are arriving; send it again.", headers={"Retry-After": "2", **CLOSE})


@dataclass(kw_only=True, eq=False)
class Exchange:
    """One request and its answer: limits what comes in, and makes sure that exactly one answer goes out.

    Attributes
    ----------
    most : int
        Maximum size of the body in bytes.
    until : float
        Event-loop time by which the body must be complete.
    body : Body
        What is counted of the body.
    bodies : Bodies
        The bodies of all requests.
    at_work : set of Exchange
        The requests that are being worked on; this one is not among them before its body is whole.
    task : Future, optional
        The application's work on this request.
    refused : Problem or None
        Why the body was not read to its end.
    closed : bool
        The guard has answered; the application's answer is dropped.
    on_status : callable, optional
        Awaited with the status before an answer goes out.
    """

    incoming: Any
    outgoing: Any
    request_id: str
    most: int
    until: float
    address: str
    bodies: Bodies
    at_work: set[Exchange]
    body: Body = field(init=False)
    status: int = 0
    refused: Problem | None = None
    closed: bool = False
    on_status: Callable[[int], Awaitable[None]] | None = None
    task: asyncio.Future[None] | None = None
    _begun: bool = False
    _whole: bool = False
    _timer: asyncio.Timeout | None = None

    def __post_init__(self) -> None:
        self.body = Body(address=self.address, stop=self._crowd_out)

    async def receive(self) -> Any:
        """Pass on the body, unless it is too large or too slow."""
        if self._whole and not self.refused:
            return await self.incoming()
        self._begun = True
        message = await self._next_part()
        if message is None or message["type"] != "http.request":
            self.bodies.whole(self.body)
        elif not message.get("more_body", False):
            self._whole = True
            self.bodies.whole(self.body)
            if self not in self.at_work and len(self.at_work) >= MAX_AT_ONCE:
                self.refused = BUSY
            else:
                self.at_work.add(self)
        return {"type": "http.disconnect"} if message is None or self.refused else message

    async def _next_part(self) -> Any:
        """Return the next part of the body, or None if it is too late, too large or crowded out."""
        if self.refused:
            return None
        try:
            async with asyncio.timeout_at(self.until) as self._timer:
                message = await self.incoming()
        except TimeoutError:
            self.refused = self.refused or LATE
            return None
        finally:
            self._timer = None
        if message["type"] == "http.request":
            part = message.get("body", b"")
            fits = self.bodies.received(self.body, len(part))
            if self.body.size > self.most:
                self.refused = Problem(413, f"The maximum is {self.most} bytes.")
            elif not self.body.count(part):
                self.refused = TOO_MANY
            elif not fits:
                self.refused = BUSY
        return None if self.refused else message

    def _crowd_out(self) -> None:
        self.refused = CROWDED_OUT if self._begun else BUSY
        if self._timer is not None:
            self._timer.reschedule(0)
        elif not self._begun and self.task is not None:
            self.task.cancel()

    async def send(self, message: Any) -> None:
        """Pass on the application's answer, unless the guard has answered."""
        if not self.closed and (self.refused is None or self.status):
            await self._send(message)

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.on_status is not None:
                await self.on_status(self.status)
            headers = list(message.get("headers", []))
            present = {name.lower() for name, _ in headers}
            defaults = [(name, value) for name, value in HEADERS.items() if name not in present]
            message = {**message, "headers": [*headers, *defaults, (b"x-request-id", self.request_id.encode())]}
        try:
            await self.outgoing(message)
        except Exception:
            if not await self._disconnected():
                self.status = 0 if message["type"] == "http.response.start" else self.status
                raise
            self.closed = True

    async def _disconnected(self) -> bool:
        """Return whether the connection has ended: the server itself refuses a body that is not HTTP, and sends nothing more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DISCONNECT_SECONDS):
                while (await self.incoming())["type"] != "http.disconnect":
                    pass
                return True
        return False

    async def answer(self, scope: Any, problem: Problem) -> None:
        """Answer with a problem, and drop whatever the application still sends."""
        self.closed = True
        if not self.status:
            await problem.response()(scope, self.incoming, self._send)


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
        self.bodies, self.at_work = Bodies(), set[Exchange]()

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
            at_work=self.at_work,
            on_status=partial(self._refused, scope, rule),
        )
        metrics.began(_template(scope, rule)[1])
        try:
            problem = _refusal(scope, rule, most)
            if problem is None and scope["method"] == "GET" and scope["path"] not in PROBES:
                problem = BUSY if len(self.at_work) >= MAX_AT_ONCE else None
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
        task = exchange.task = asyncio.ensure_future(self.routes(scope, exchange.receive, exchange.send))
        if scope["method"] == "GET":
            self.at_work.add(exchange)
        else:
            self.bodies.begin(exchange.body)
        task.add_done_callback(partial(self._done, exchange))
        try:
            # The time for the answer starts when the body is complete, at the latest after body_seconds.
            await asyncio.wait({task}, timeout=self.body_seconds + self.answer_seconds)
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
        self.at_work.discard(exchange)
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
