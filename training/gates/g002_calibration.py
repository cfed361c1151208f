"""A risk of one in ten is read as one in ten: a slope far from one says that high risks are told too high, or too low."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Hold the slope on the judged days, and its interval, against the range."""
    slope = dossier.number(*dossier.figure("calibration_slope"))
    low, high = dossier.interval(*dossier.figure("calibration_slope_interval"))
    least, most = limits["slope"]
    bottom, top = limits["surely"]
    holds = least <= slope <= most and not (high < bottom or low > top)
    measured = f"a slope of {slope:.2f}, 95% interval {low:.2f} to {high:.2f}"
    return GateFinding(holds, measured, f"{least} to {most}, and the interval not wholly outside {bottom} to {top}")


GATE = Gate(
    code="G002",
    title="risks are calibrated",
    reason=__doc__,
    do="Train on more recent terms, or look for what changed in them (onroll check); the reliability plot is in the report.",
    check=check,
)
