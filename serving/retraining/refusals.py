"""What stops a retraining before it starts: errors of the check, and alarms that nobody has acknowledged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from histories.checks.check import Checked
from histories.errors import Fault
from histories.io.quantities import quantity
from serving.monitoring.alarms import load_limits
from serving.monitoring.alarms.alarm import AlarmResult, Limits

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


def set_aside(
    alarms: Iterable[AlarmResult], limits: Mapping[str, Limits], silences: Iterable[str], day: date | None
) -> list[str]:
    """Return what kept rules from refusing, other than an acknowledgement: for the page and the audit of a retraining.

    Parameters
    ----------
    limits : mapping
        That alarms were judged by; those that differ from the shipped ones are named.
    silences : iterable of str
        Codes of the rules of the check that were silenced.
    day : date or None
        The day that was named as today.
    """
    shipped = load_limits()
    others = [
        f"limit {code} {name} is {value}, shipped as {shipped[code][name]}"
        for code, of in sorted(limits.items())
        for name, value in of.items()
        if value != shipped[code][name]
    ]
    named = [f"alarms looked at the records as of {day}, which was named as today"] if day else []
    silenced = [f"rules of the check were silenced: {', '.join(sorted(silences))}"] if silences else []
    blind = sorted({a.code for a in alarms if a.state == "not_judged"})
    return [*others, *named, *silenced, *([f"alarms could not be judged: {', '.join(blind)}"] if blind else [])]


def _fault(alarm: AlarmResult) -> Fault:
    do = alarm.do
    if alarm.code != NEVER:
        do += f" Or record why it may be set aside: onroll monitor HISTORIES --acknowledge {alarm.code} --reason TEXT."
    return Fault(f"{alarm.title}: {alarm.what}", alarm.where, do, alarm.code)
