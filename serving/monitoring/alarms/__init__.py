"""Alarms, one file each: what is wrong, why it matters and what to do.

To add an alarm: ``aNNN_short_name.py`` here with an ``ALARM``, its limits in ``limits.toml``, and a test in
``tests/unit/serving/monitoring/test_alarms.py`` that shows it up and quiet.
"""

import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from histories.errors import Fault, Faults
from histories.io.settings_file import like
from histories.io.toml import read_toml
from serving.monitoring.alarms.alarm import Alarm, AlarmResult, Limits
from serving.monitoring.evidence import Evidence

ALARMS: tuple[Alarm, ...] = tuple(
    import_module(f"{__name__}.{name}").ALARM
    for name in sorted(m.name for m in iter_modules(__path__))
    if re.match(r"a\d{3}_", name)
)
RATIOS = ("ratio", "calibration")  # limits that hold in both directions
SHIPPED = Path(__file__).with_name("limits.toml")


def load_limits(file: Path | None = None) -> dict[str, Limits]:
    """Return the limits by alarm; a file overrides single limits and cannot switch an alarm off.

    Raises
    ------
    Faults
        For bad TOML, unknown alarms and limits, values of another kind, and ratios below 1.
    """
    shipped = read_toml(SHIPPED)
    overrides = read_toml(file) if file else {}
    like("AlarmLimits", shipped, low=0).of(overrides, file, "Correct the file.")
    faults = [
        Fault("a ratio below 1 leaves nothing between it and its inverse", f"{file}, {code}.{name}", "Give 1 or more.")
        for code, limits in overrides.items()
        for name, value in limits.items()
        if name in RATIOS and value < 1
    ]
    if faults:
        raise Faults(faults)
    return {code: {**limits, **overrides.get(code, {})} for code, limits in shipped.items()}


def check_all(evidence: Evidence, limits: dict[str, Limits]) -> list[AlarmResult]:
    """Return the results of every alarm, in the order of their codes."""
    return [result for alarm in ALARMS for result in alarm.results(evidence, limits.get(alarm.code, {}))]


__all__ = ["ALARMS", "Alarm", "AlarmResult", "Limits", "check_all", "load_limits"]
