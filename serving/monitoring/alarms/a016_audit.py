"""Without a sound audit nobody can say who saw which child, and stored lists may have been changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised
from serving.monitoring.evidence import Evidence


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised]:
    """Report an audit or anchors that do not verify."""
    if evidence.audit is None:
        raise NotJudged("the audit was not looked at")
    if evidence.audit:
        yield Raised(evidence.audit, "audit", {evidence.audit: 1.0})


ALARM = Alarm(
    code="A016",
    title="the audit does not verify",
    reason=__doc__ or "",
    do="Run 'onroll audit verify', and find out who changed the database or its anchors.",
    since=date(2026, 11, 29),
    check=check,
)
