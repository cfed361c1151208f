"""Anchors the audit every minute and verifies its chain every hour, in the background; raises an alarm when it is broken.

An end that this process knows of and that is gone shows within a minute. The audit declares how often it is anchored, once: ``audit verify`` holds it to that.

What the audit says of the last monitoring by default day and limits goes to the metrics with it, so that the alarms of a command reach Prometheus.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from histories.errors import Faults
from serving.store import Store
from serving.store.audit import audit_log
from serving.store.audit.model_log import SERVICE
from serving.store.audit.unanchored import declaration, in_force
from serving.store.audit.unrecorded import without_entry
from serving.store.database import reading
from serving.store.ledger.anchors import DECLARED, ONLY_OWN
from serving.store.ledger.entry import End
from serving.store.tables import AuditEntry
from serving.telemetry import metrics

log = logging.getLogger("onroll.alarm")
MINUTE = 60.0
LAST = sa.select(AuditEntry.seq, AuditEntry.mac, AuditEntry.at).order_by(AuditEntry.seq.desc()).limit(1)
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
        self._is_cut = self._failed = False

    def watch(self) -> None:
        """Start the thread; warn when only this account's own file has the anchors."""
        if self.store.anchors.only_own:
            log.warning("%s", ONLY_OWN)
        threading.Thread(target=self._run, name="audit-watch", daemon=True).start()

    def stop(self) -> None:
        """Let the thread end, and anchor what it has not anchored."""
        self._stop.set()
        self.store.anchors.flush()

    def keep_up(self) -> None:
        """Anchor the end of the chain, whoever appended it, and verify the chain if an end that was there is gone."""
        with reading(self.store.engine) as connection:
            known = self.store.anchors.newest
            there = known and connection.scalar(sa.select(AuditEntry.mac).where(AuditEntry.seq == known.seq))
            last = connection.execute(LAST).one_or_none()
        is_cut = known is not None and there != known.mac
        if is_cut and not self._is_cut:
            self.check()
        self._is_cut = is_cut
        if last is not None:
            self.store.anchors.note(End(*last))
        self.store.anchors.flush()

    def declare(self) -> None:
        """Let the audit say how often it is anchored from now on, unless it does."""
        with reading(self.store.engine) as connection:
            rule = in_force(connection)
            keys = [] if rule else without_entry(connection)
        if rule != declaration():
            self.store.note(SERVICE, DECLARED, **declaration(), keys=keys)

    def check(self) -> bool:
        """Verify the chain, report it and the alarms that were last up to the metrics, and return whether it is whole."""
        with reading(self.store.engine) as connection:
            verified = audit_log.verify(connection, self.store.chain, self.store.anchors)
            metrics.audit_is_whole(whole=verified.whole)
            if not verified.whole:
                log.error("the audit does not verify: %s", verified.why, extra={"fields": {"entry": verified.bad}})
                return False  # what it says of other alarms may be anybody's
            seen = audit_log.newest_details(connection, self.store.chain, "alarms.seen", _default_look)
            told = audit_log.newest_details(connection, self.store.chain, "monitor.reported", _of_all)
        if seen:
            at, details = seen
            metrics.alarms_up(details["up"], datetime.fromisoformat(at).timestamp())
        if told:
            metrics.outcomes(told[1]["report"].get("terms", ()))
        return True

    def _run(self) -> None:
        for minute in itertools.count():
            self.watched(
                self.declare if minute == 0 else None, self.keep_up, self.check if minute % EVERY == 0 else None
            )
            if self._stop.wait(MINUTE):
                return

    def watched(self, *steps: Callable[[], object] | None) -> None:
        """Take each step whatever comes of the others; what nobody expected is an alarm, once until all go well again."""
        failed = False
        for step in filter(None, steps):
            try:
                step()
            except Faults as faults:
                log.warning("the audit could not be verified: %s", faults.faults[0].what)
            except Exception as error:
                metrics.audit_is_whole(whole=False)
                if not (failed or self._failed):
                    log.error("the audit cannot be watched: %s", type(error).__name__, exc_info=error)
                failed = True
        self._failed = failed


def _default_look(details: dict[str, Any]) -> bool:
    """Return whether alarms were looked at on the default day with the default limits; older entries do not say."""
    return bool(details.get("default_look", True))


def _of_all(details: dict[str, Any]) -> bool:
    """Return whether a report is of all records: of the only authority, or of all together."""
    return bool(details["report"].get("whole"))
