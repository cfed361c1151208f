"""One request and its answer: limits what comes in, and makes sure that exactly one answer goes out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from serving.http.addresses import network_of
from serving.http.bodies import Bodies, Body
from serving.http.problems import Problem
from serving.http.schemas import MAX_PUPILS, MAX_ROWS
from serving.http.work import Work

DISCONNECT_SECONDS = 1.0  # longest time the server takes to report that a connection has ended
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
UNFINISHED = Problem(400, "The body did not arrive whole.", headers=CLOSE)  # for the log and the audit: nobody reads it
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
    work : Work
        The requests at work; this one is not among them before its body is whole, nor once its answer begins.
    state : dict
        What is known of the request: the access middleware notes its caller there.
    task : Future, optional
        The application's work on this request.
    refused : Problem or None
        Why the body was not read to its end.
    counted : bool
        Whether it counts as work; probes do not.
    closed : bool
        The guard has answered; the application's answer is dropped.
    answering : bool
        The answer goes out; from now on this request waits for its client only.
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
    work: Work
    state: dict[str, Any]
    body: Body = field(init=False)
    status: int = 0
    refused: Problem | None = None
    closed: bool = False
    on_status: Callable[[int], Awaitable[None]] | None = None
    task: asyncio.Future[None] | None = None
    counted: bool = True
    answering: bool = False
    _begun: bool = False
    _whole: bool = False
    _timer: asyncio.Timeout | None = None

    def __post_init__(self) -> None:
        self.body = Body(network=network_of(self.address), stop=self._crowd_out, caller=self._caller)

    def _caller(self) -> str | None:
        caller = self.state.get("caller")
        return caller.key_id if caller else None

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
            if self.counted and not self.answering and not self.work.begin(self):
                self.refused = BUSY
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
        if message["type"] == "http.disconnect":
            self.refused = self.refused or UNFINISHED
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
            self.answering = True
            self.work.end(self)  # a client that does not read holds up nobody else
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
