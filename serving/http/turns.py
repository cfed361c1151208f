"""Turns to compute features: one request at a time, and callers in rotation.

One request at a time, since each uses every core and its rows take many times the memory of its body. In rotation, so
that a caller with many requests does not delay a caller with one.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Request, Response
from pydantic_core import to_json
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Scope

from serving.http.json_once import OncePerKey, PostedHistories
from serving.http.problems import Problem
from serving.http.schemas import ARROW

MAX_OF_CALLER = 8  # requests of one caller that wait or are computed
MAX_WAITING = 32  # of all callers
PATIENCE = 30.0  # seconds a request waits for its turn


class Turns:
    """The queue of one worker.

    Parameters
    ----------
    what : str
        What is done with the requests, for messages.
    """

    def __init__(self, what: str = "scored") -> None:
        self.what = what
        self._lock = threading.Lock()  # tests call from several event loops
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._counts: dict[str, int] = {}
        self._taken = False

    @asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        """Wait for the turn of a caller.

        Raises
        ------
        Problem
            When the caller, or all callers together, wait too much already, or the turn does not come in time.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._lock:
            count = self._counts.get(caller, 0)
            if count >= MAX_OF_CALLER:
                text = f"At most {MAX_OF_CALLER} requests of one caller are {self.what} or wait; send this one later."
                raise Problem(429, text, headers={"Retry-After": "2"})
            if sum(self._counts.values()) >= MAX_WAITING:
                raise self._busy()
            self._counts[caller] = count + 1
            if self._taken:
                self._waiting.setdefault(caller, deque()).append(future)
            else:
                self._taken = True
                future.set_result(None)
        try:
            await self._wait(caller, future)
            try:
                yield
            finally:
                self._next()
        finally:
            with self._lock:
                self._counts[caller] -= 1
                if not self._counts[caller]:
                    del self._counts[caller]

    async def _wait(self, caller: str, future: asyncio.Future[None]) -> None:
        """Wait, and give up the place or the turn if waiting is cancelled."""
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.shield(future)
        except BaseException as ended:
            with self._lock:
                places = self._waiting.get(caller, deque())
                had_turn = future not in places
                if not had_turn:
                    places.remove(future)
                    if not places:
                        del self._waiting[caller]
            if had_turn:
                self._next()
            if isinstance(ended, TimeoutError):
                raise self._busy() from None
            raise

    def _next(self) -> None:
        """Give the turn to the caller who has waited longest since their last one."""
        with self._lock:
            if not self._waiting:
                self._taken = False
                return
            caller, places = self._waiting.popitem(last=False)
            future = places.popleft()
            if places:
                self._waiting[caller] = places
        future.get_loop().call_soon_threadsafe(_wake, future)

    def _busy(self) -> Problem:
        return Problem(503, f"Other requests are being {self.what}; try again.", headers={"Retry-After": "5"})


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def answered(content: Any) -> Response:
    """Return an answer with many numbers as JSON: in a third of the time of `json.dumps`, and not a number is an error as there."""
    body = to_json(content, inf_nan_mode="constants")
    if b"NaN" in body or b"Infinity" in body:  # in a text, or not
        body = json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    return Response(body, media_type="application/json")


class InTurn(OncePerKey):
    """A route whose requests are parsed and answered in turn, once their bodies are whole."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, which waits first."""
        handler: Any = super().get_route_handler()

        async def in_turn(request: Request) -> Response:
            request = PostedHistories(request.scope, request.receive)
            try:
                await request.body()  # kept by the request; a slow caller must not hold the turn
            except ClientDisconnect:
                raise Problem(400, "The body did not arrive whole.") from None
            async with request.app.state.turns.turn(request.state.caller.key_id):
                return await handler(request)

        return in_turn


class ArrowInTurn(InTurn):
    """The same for bodies in Arrow's format; requests with another content type pass on to the next route."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match by the content type too."""
        kinds = [value for name, value in scope["headers"] if name == b"content-type"]
        is_arrow = kinds and kinds[0].partition(b";")[0].strip().lower() == ARROW.encode()
        return super().matches(scope) if is_arrow else (Match.NONE, {})
