"""Refusals in the audit: the first of a kind immediately, then a count per minute, so that a flood cannot fill the audit."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from histories.errors import Faults
from serving.store.caller import Caller

log = logging.getLogger("onroll.audit")
NOBODY = Caller("nobody", "nobody", None)
INTERVAL = 60.0  # seconds between two entries of the same kind
MAX_KINDS = 10_000
Kind = tuple[Caller, int, str, str | None]


class Refusals:
    """Counts refusals by caller, status, route and reason.

    Parameters
    ----------
    note : callable
        ``note(caller, action, **details)``; see ``Store.note``.
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, note: Callable[..., None], clock: Callable[[], float] = time.monotonic) -> None:
        self._note, self._clock = note, clock
        self._seen: dict[Kind, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def refused(self, caller: Caller | None, status: int, route: str, reason: str | None = None) -> None:
        """Record a refused request; it is refused even if the audit cannot be written.

        The address in the audit is that of the first of a kind; the log has the address of every request.
        """
        kind, now = (caller or NOBODY, status, route, reason), self._clock()
        with self._lock:
            at, more = self._seen.get(kind, (-INTERVAL, 0))
            if now - at < INTERVAL:
                self._seen[kind] = at, more + 1
                return
            if len(self._seen) >= MAX_KINDS:
                self._seen.pop(next(iter(self._seen)))
            self._seen[kind] = now, 0
        self._write(kind, more)

    def flush(self) -> None:
        """Record the remaining counts; call it when the service stops."""
        with self._lock:
            counted = [(kind, more) for kind, (_, more) in self._seen.items() if more]
            self._seen.clear()
        for kind, more in counted:
            self._write(kind, more)

    def _write(self, kind: Kind, more: int) -> None:
        caller, status, route, reason = kind
        why = {"reason": reason} if reason else {}
        try:
            self._note(caller, "request.refused", status=status, route=route, more_since_last=more, **why)
        except Faults as error:
            log.error("a refusal could not be recorded: %s", error.faults[0].what)
