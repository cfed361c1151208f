"""What stops a retraining before it starts: errors of the check, and alarms that nobody has acknowledged."""

from __future__ import annotations

from collections.abc import Iterable

from histories.checks.check import Checked
from histories.errors import Fault
from histories.io.quantities import quantity
from serving.monitoring.alarms.alarm import AlarmResult

REMEDY = "A015"  # the model is older than its data: retraining is what the alarm asks for
NEVER = "A016"  # the audit does not verify: an acknowledgement in it proves nothing


def refusals(checked: Checked, alarms: Iterable[AlarmResult]) -> list[Fault]:
    """Return every reason for not retraining on these records; an empty list if there is none.

    An alarm that somebody has acknowledged stops nothing: the audit holds who decided that, and why. The alarm about the
    audit itself cannot be set aside that way.
    """
    faults = [
        Fault(f"{f.title}: {quantity(f.rows)}{f.where}", f.table, f.rule.do, f.rule.code)
        for f in checked.findings
        if f.rows and f.weight == "error"
    ]
    return faults + [_fault(alarm) for alarm in alarms if is_open(alarm)]


def is_open(alarm: AlarmResult) -> bool:
    """Return whether an alarm stops a retraining."""
    acknowledged = alarm.acknowledged is not None and alarm.code != NEVER
    return alarm.state == "up" and alarm.code != REMEDY and not acknowledged


def _fault(alarm: AlarmResult) -> Fault:
    do = alarm.do
    if alarm.code != NEVER:
        do += f" Or record why it may be set aside: onroll monitor HISTORIES --acknowledge {alarm.code} --reason TEXT."
    return Fault(f"{alarm.title}: {alarm.what}", alarm.where, do, alarm.code)
