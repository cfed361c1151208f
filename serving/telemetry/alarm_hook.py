"""Hands each alarm to a syslog, beside the log and the metrics, so that somebody is called and does not have to look.

Alarms are the errors of the logger ``onroll.alarm``: a broken chain of the audit, bulk reading, failed sign-ins, names that cannot be decrypted.
They are sent by a thread of their own; who is answered never waits for it.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable

from serving.store.ledger.anchor_places import Syslog

log = logging.getLogger("onroll.alarm_hook")
ALARMS = logging.getLogger("onroll.alarm")
TAG = "onroll-alarm: "  # before an alarm in a line of syslog
FIELDS = (
    "caller",
    "more_than",
    "entry",
    "address",
)  # that an alarm may have: accounts of staff and counts, nothing of a child
MAX_WAITING = 100
MOST = 20  # alarms of one kind that are sent within an hour; the log has all. What strangers raise takes no place of another kind
WITHHELD = "further alarms are withheld for an hour; the log has them"
HOUR = 3600.0


class AlarmHook(logging.Handler):
    """Sends alarms to a syslog, at the priority *critical*.

    Parameters
    ----------
    address : str or None
        ``unix:/dev/log`` or ``udp:HOST:PORT``; None sends nothing.
    clock : callable
        Monotonic seconds.

    Raises
    ------
    Faults
        When the address is neither.
    """

    def __init__(self, address: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.ERROR)
        self._syslog = Syslog(address, "ONROLL_ALARM_SYSLOG", TAG) if address else None
        self._clock = clock
        self._sent: dict[str, deque[float]] = {}  # by kind: the texts in the code, which are few
        self._waiting: queue.Queue[str | None] = queue.Queue(MAX_WAITING)
        self._thread = threading.Thread(target=self._run, name="alarm-hook", daemon=True)

    def watch(self) -> None:
        """Send alarms from now on."""
        if self._syslog:
            self._thread.start()
            ALARMS.addHandler(self)

    def stop(self) -> None:
        """Send what waits, for some seconds at most, and end."""
        ALARMS.removeHandler(self)
        if self._thread.is_alive():
            self._offer(None)
            self._thread.join(5)

    def emit(self, record: logging.LogRecord) -> None:
        """Let an alarm be sent, unless too many of its kind were within the hour; the last one says so."""
        now, kind = self._clock(), self._kind(record)
        sent = self._sent.setdefault(kind, deque[float](maxlen=MOST))
        if len(sent) == MOST and now - sent[0] < HOUR:
            return
        sent.append(now)
        fields = {k: v for k, v in getattr(record, "fields", {}).items() if k in FIELDS}
        is_last = len(sent) == MOST and now - sent[0] < HOUR
        self._offer(json.dumps({"alarm": record.getMessage(), **fields, **({"then": WITHHELD} if is_last else {})}))

    @staticmethod
    def _kind(record: logging.LogRecord) -> str:
        return str(record.msg)

    def _offer(self, text: str | None) -> None:
        try:
            self._waiting.put_nowait(text)
        except queue.Full:
            log.error("an alarm is not sent: %s wait", MAX_WAITING)

    def _run(self) -> None:
        while (text := self._waiting.get()) is not None:
            try:
                self._syslog.send(text, logging.CRITICAL)  # type: ignore[union-attr]
            except Exception as error:  # the next alarm may go through
                log.error("an alarm could not be sent: %s", type(error).__name__)
