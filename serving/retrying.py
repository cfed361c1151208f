"""When a client sends a request again, and how long it waits before."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial

import httpx2

RETRIED = (429, 503)  # statuses after which a request is sent again; safe, since every call only reads


@dataclass(frozen=True, kw_only=True)
class Retry:
    """When a request is retried.

    Attributes
    ----------
    most : int
        Attempts in all.
    first, longest : float
        Seconds to wait after the first failure, doubled after each further one, and the longest wait. If the service
        asks for a longer wait, the client gives up.
    jitter : callable
        Returns a number from 0 to 1: the share of half the wait to subtract, so that clients do not retry in step.
    now : callable
        Returns the time, for a ``Retry-After`` that is a date.
    """

    most: int = 5
    first: float = 0.5
    longest: float = 60.0
    jitter: Callable[[], float] = random.random
    now: Callable[[], datetime] = field(default=partial(datetime.now, UTC))

    def wait(self, attempts: int, response: httpx2.Response | None) -> float | None:
        """Return the seconds to wait before the next attempt, or None to give up."""
        if attempts >= self.most or (response is not None and response.status_code not in RETRIED):
            return None
        requested = self._retry_after(response)
        if requested is not None:
            return requested if requested <= self.longest else None
        return min(self.longest, self.first * 2 ** (attempts - 1)) * (1 - self.jitter() / 2)

    def _retry_after(self, response: httpx2.Response | None) -> float | None:
        text = "" if response is None else response.headers.get("retry-after", "")
        if text.isdecimal():
            return float(text)
        try:
            return max(0.0, (parsedate_to_datetime(text) - self.now()).total_seconds())
        except (ValueError, TypeError):
            return None
