"""Anchors the audit every minute and verifies its chain every hour, in the background; raises an alarm when it is broken.

What the audit says of the last monitoring by default day and limits goes to the metrics with it, so that the alarms of a command reach Prometheus.
"""

from __future__ import annotations

import itertools
import logging
import threading
from datetime import datetime
from typing import Any

from histories.errors import Faults
from serving.store import Store
from serving.store.audit import audit_log
from serving.store.database import reading
from serving.telemetry import metrics

log = logging.getLogger("onroll.alarm")
MINUTE = 60.0
EVERY = 60  # minutes; a million entries take about half a minute of one processor


class AuditWatch:
    """A thread that verifies the whole chain at the start and every hour, and anchors its end every minute.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._stop = threading.Event()

    def watch(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="audit-watch", daemon=True).start()

    def stop(self) -> None:
        """Let the thread end, and anchor what it has not anchored."""
        self._stop.set()
        self.store.anchors.flush()

    def check(self) -> bool:
        """Verify the chain, report it and the alarms that were last up to the metrics, and return whether it is whole."""
        with reading(self.store.engine) as connection:
            verified = audit_log.verify(connection, self.store.chain, self.store.anchors)
            seen = audit_log.newest_details(connection, "alarms.seen", _default_look)
        metrics.audit_is_whole(whole=verified.whole)
        if seen:
            at, details = seen
            metrics.alarms_up(details["up"], datetime.fromisoformat(at).timestamp())
        if not verified.whole:
            log.error("the audit does not verify: %s", verified.why, extra={"fields": {"entry": verified.bad}})
        return verified.whole

    def _run(self) -> None:
        for minute in itertools.count():
            self.store.anchors.flush()
            try:
                if minute % EVERY == 0:
                    self.check()
            except Faults as faults:
                log.warning("the audit could not be verified: %s", faults.faults[0].what)
            if self._stop.wait(MINUTE):
                return


def _default_look(details: dict[str, Any]) -> bool:
    """Return whether alarms were looked at on the default day with the default limits; older entries do not say."""
    return bool(details.get("default_look", True))
