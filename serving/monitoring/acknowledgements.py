"""Who has seen an alarm and what they make of it: entries of the audit, one for each alarm and place. An acknowledged alarm stays up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from histories.errors import Fault, Usage
from serving.monitoring.alarms.alarm import Acknowledgement, AlarmResult
from serving.store.tables import AuditEntry
from serving.store.unit_of_work import Change, View

ACTION = "alarm.acknowledged"
MAX_REASON = 500


def acknowledge(change: Change, alarms: Sequence[AlarmResult], code: str, reason: str) -> list[AlarmResult]:
    """Record that somebody has seen every alarm of a code that is up, and return these alarms.

    Parameters
    ----------
    change : Change
        Its caller acknowledges.
    reason : str
        What they make of it; about no child.

    Raises
    ------
    Usage
        If no alarm of the code is up, or the reason is empty or too long.
    """
    up = [a for a in alarms if a.state == "up" and a.code == code.strip().upper()]
    faults = []
    if not up:
        faults.append(Fault("no alarm of this code is up", f"monitor --acknowledge {code}", "See 'onroll monitor'."))
    if not 0 < len(reason.strip()) <= MAX_REASON:
        do = f"Write 1 to {MAX_REASON} characters about the records or the model, and nothing about a child."
        faults.append(Fault("the reason is empty or too long", "monitor --reason", do))
    if faults:
        raise Usage(faults)
    for alarm in up:
        change.record(ACTION, code=alarm.code, where=alarm.where, reason=reason.strip())
    return up


def with_acknowledgements(view: View, alarms: Sequence[AlarmResult]) -> list[AlarmResult]:
    """Return the alarms, each that is up with its newest acknowledgement. The calling code records the view."""
    query = sa.select(AuditEntry.at, AuditEntry.who, AuditEntry.details).where(AuditEntry.action == ACTION)
    newest = {}
    for entry in view.connection.execute(query.order_by(AuditEntry.seq)):
        details = json.loads(entry.details)
        newest[details["code"], details["where"]] = Acknowledgement(by=entry.who, at=entry.at, reason=details["reason"])
    return [replace(a, acknowledged=newest.get((a.code, a.where))) if a.state == "up" else a for a in alarms]
