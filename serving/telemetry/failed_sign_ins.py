"""An alarm for failed sign-ins: wrong, revoked or expired credentials, many from one address or many in all."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from serving.http.addresses import network_of

log = logging.getLogger("onroll.alarm")
OF_ADDRESS, IN_ALL = (
    20,
    200,
)  # refused credentials within ten minutes of one worker before the alarm; nobody mistypes so often
WINDOW = 600.0
MAX_ADDRESSES = 1000  # remembered; the one that failed least is forgotten first, so that new ones push out no old one
ALL = "all"


class FailedSignIns:
    """Counts refused credentials by address and in all; one alarm for each and ten minutes.

    Parameters
    ----------
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counted: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def failed(self, address: str | None) -> None:
        """Count a refused credential; of IPv6 by the network of its connection, which has more addresses than there are alarms."""
        address = network_of(address)
        with self._lock:
            over = [
                (who, most)
                for who, most in ((address, OF_ADDRESS), (ALL, IN_ALL))
                if who and self._count(who) == most + 1
            ]
        for who, most in over:
            fields = {"more_than": most} if who == ALL else {"more_than": most, "address": who}
            log.error("failed sign-ins", extra={"fields": fields})

    def _count(self, who: str) -> int:
        now = self._clock()
        since, count = self._counted.get(who, (now, 0))
        if now - since >= WINDOW:
            since, count = now, 0
        self._counted[who] = since, count + 1
        if len(self._counted) > MAX_ADDRESSES:
            self._counted.pop(min((a for a in self._counted if a not in (ALL, who)), key=self._failures))
        return count + 1

    def _failures(self, who: str) -> int:
        since, count = self._counted[who]
        return count if self._clock() - since < WINDOW else 0
