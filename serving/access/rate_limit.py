"""Rate limits: a token bucket per caller, refilled at a steady rate."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MAX_CALLERS = 10_000  # buckets kept; the least recently used is dropped first


class Buckets:
    """A bucket of tokens for each caller; a request takes one.

    Parameters
    ----------
    per_second : float
        Tokens added each second.
    burst : int
        Capacity of a bucket.
    clock : callable
        A monotonic clock, in seconds.
    """

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self.burst, self.clock = per_second, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, who: str) -> float:
        """Take a token and return 0, or return the seconds until the next one."""
        with self._lock:
            now = self.clock()
            tokens, at = self._buckets.pop(who, (float(self.burst), now))
            tokens = min(self.burst, tokens + (now - at) * self.per_second)
            allowed = tokens >= 1
            self._buckets[who] = (tokens - 1 if allowed else tokens, now)
            if len(self._buckets) > MAX_CALLERS:
                self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / self.per_second
