"""How often a caller may call: a bucket of tokens each, filled at a steady rate."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MAX_CALLERS = 10_000  # buckets kept; the one that was used longest ago goes first


class Buckets:
    """A bucket of tokens for each caller; a request takes one.

    Parameters
    ----------
    per_second : float
        Tokens that come back each second.
    burst : int
        Tokens that a bucket holds at most.
    clock : callable
        Seconds that only go forward.
    """

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self.burst, self.clock = per_second, burst, clock
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, who: str) -> float:
        """Take a token and return 0, or return how many seconds it takes until there is one."""
        with self._lock:
            now = self.clock()
            held, at = self._held.pop(who, (float(self.burst), now))
            held = min(self.burst, held + (now - at) * self.per_second)
            taken = held >= 1
            self._held[who] = (held - 1 if taken else held, now)
            if len(self._held) > MAX_CALLERS:
                self._held.popitem(last=False)
        return 0.0 if taken else (1 - held) / self.per_second
