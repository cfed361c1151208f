"""An alarm for bulk reading: a caller who was shown more children within an hour than anybody's work needs."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from serving.store.ledger.entry import Entry
from serving.telemetry import metrics

log = logging.getLogger("onroll.alarm")
MOST = 2000  # different children that one caller may be shown within an hour before the alarm
HOUR = 3600.0
MAX_CALLERS = 1000  # callers remembered; the one who came first is forgotten first


class BulkReading:
    """Counts the children whom each caller is shown; one alarm for each caller and hour.

    Parameters
    ----------
    most : int
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self._clock = most, clock
        self._shown: OrderedDict[str, tuple[float, set[str]]] = OrderedDict()
        self._lock = threading.Lock()

    def seen(self, entries: Sequence[Entry]) -> None:
        """Count what a view has shown, from its entries in the audit."""
        for entry in entries:
            if entry.pupils and self._exceeds(entry):
                metrics.bulk_read(entry.role)
                log.error("bulk reading", extra={"fields": {"caller": entry.who, "more_than": self.most}})

    def _exceeds(self, entry: Entry) -> bool:
        with self._lock:
            since, shown = self._shown.get(entry.who, (self._clock(), set()))
            if self._clock() - since >= HOUR:
                since, shown = self._clock(), set()
            was_over = len(shown) > self.most
            if not was_over:
                shown.update(entry.pupils)
            self._shown[entry.who] = since, shown
            if len(self._shown) > MAX_CALLERS:
                self._shown.popitem(last=False)
            return not was_over and len(shown) > self.most
