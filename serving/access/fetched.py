"""A document of the identity provider, fetched in the background with small limits; a slow provider holds up no request."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from typing import Any, Generic, TypeVar

import httpx2

log = logging.getLogger("onroll.access")
FETCH_SECONDS = 3.0  # for the whole answer of the provider
COOLDOWN = 30.0  # seconds from one attempt to the next, whatever came of the first
LIFESPAN = 600.0  # seconds until a document is fetched again
MAX_AGE = 3600.0  # seconds after which a document is no longer used: the provider may have withdrawn a key
MAX_BYTES = 1024 * 1024  # of the provider's answer
FAILURES = (TimeoutError, OSError, httpx2.HTTPError, httpx2.InvalidURL)  # of a request

T = TypeVar("T")


class Fetched(Generic[T]):
    """What is read from a document at an address, one attempt at a time.

    Only the request that starts an attempt waits for it in its thread; who awaits ``settled`` waits for the same attempt without one.
    No attempt starts within ``COOLDOWN`` of the one before: callers who ask for what the document does not hold cannot make the
    service fetch it again and again.

    Parameters
    ----------
    address : str
    parse : callable
        Turns the document into the value; raises ``ValueError`` when it is not what is expected.
    what : str
        What the document is, for the log.
    clock : callable
        A monotonic clock, in seconds.
    """

    def __init__(
        self, address: str, parse: Callable[[bytes], T], what: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.address, self.parse, self.what, self.clock = address, parse, what, clock
        self._lock = threading.Lock()
        self._value: T | None = None
        self._fetched_at = self._attempted_at = float("-inf")
        self._newest_attempt: Future[None] | None = None

    def get(self, enough: Callable[[T], bool] = lambda _: True) -> T | None:
        """Return the newest value, or None while there is none; an old one is used while a new one is fetched.

        Parameters
        ----------
        enough : callable
            Whether a value serves; otherwise a newer one is waited for, if an attempt may start.
        """
        value = self.known()
        if value is None or not enough(value):
            attempt = self._attempt()
            if attempt is not None:
                wait([attempt], FETCH_SECONDS + 1)
            return self.known()
        if self.clock() - self._fetched_at > LIFESPAN:
            self._attempt()
        return value

    async def settled(self, enough: Callable[[T], bool] = lambda _: True) -> None:
        """Wait, in no thread, until ``get`` with the same argument will not wait: for an attempt under way, or a new one."""
        value = self.known()
        if value is None or not enough(value):
            attempt = self._attempt() or self._newest_attempt
            if attempt is not None:
                await asyncio.wait([asyncio.wrap_future(attempt)], timeout=FETCH_SECONDS + 1)

    def put(self, value: T) -> None:
        """Take a value as fetched now."""
        self._value, self._fetched_at = value, self.clock()

    def known(self) -> T | None:
        """Return the newest value without waiting."""
        return self._value if self.clock() - self._fetched_at <= MAX_AGE else None

    def last(self) -> T | None:
        """Return the newest value however old it is, without waiting."""
        return self._value

    def _attempt(self) -> Future[None] | None:
        """Start to fetch, unless the last attempt is too recent."""
        with self._lock:
            now = self.clock()
            if now - self._attempted_at < COOLDOWN:
                return None
            self._attempted_at = now
            self._newest_attempt = attempt = Future[None]()
            attempt.set_running_or_notify_cancel()  # who no longer waits does not end it for the others
        threading.Thread(target=self._fetch, args=(attempt,), name=self.what.replace(" ", "-"), daemon=True).start()
        return attempt

    def _fetch(self, attempt: Future[None]) -> None:
        try:
            self.put(self.parse(asyncio.run(answer_of("GET", self.address))))
        except (*FAILURES, ValueError) as error:
            log.warning("the identity provider's %s could not be fetched: %s", self.what, type(error).__name__)
        finally:
            attempt.set_result(None)


async def answer_of(
    method: str, address: str, form: Mapping[str, str] | None = None, auth: tuple[str, str] | None = None
) -> bytes:
    """Return the provider's answer, within ``FETCH_SECONDS`` however slowly it comes; a redirect is not followed.

    Raises
    ------
    TimeoutError, OSError, httpx2.HTTPError, httpx2.InvalidURL, ValueError
        When the provider does not answer with a success, in time and size.
    """
    parts: list[bytes] = []
    async with (
        asyncio.timeout(FETCH_SECONDS),
        httpx2.AsyncClient(timeout=FETCH_SECONDS, follow_redirects=False) as client,
        client.stream(method, address, data=form, auth=auth, headers={"Accept": "application/json"}) as answer,
    ):
        answer.raise_for_status()
        async for part in answer.aiter_bytes():
            parts.append(part)
            if sum(map(len, parts)) > MAX_BYTES:
                raise ValueError("the answer is too large")
    return b"".join(parts)


def as_object(document: bytes) -> dict[str, Any]:
    """Return a JSON object.

    Raises
    ------
    ValueError
        When it is something else.
    """
    try:
        value = json.loads(document)
    except RecursionError:
        raise ValueError("the document is too deep") from None
    if not isinstance(value, dict):
        raise ValueError("the document is no object")
    return value
