"""A risk of one in ten is read as one in ten. A calibration slope far from 1 means that high risks are overstated or understated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Compare the calibration slope on the judged days, and its interval, with their ranges."""
    slope = dossier.number(*dossier.figure("calibration_slope"))
    low, high = dossier.interval(*dossier.figure("calibration_slope_interval"))
    least, most = limits["slope"]
    bottom, top = limits["surely"]
    holds = least <= slope <= most and not (high < bottom or low > top)
    measured = f"a slope of {slope:.2f}, 95% interval {low:.2f} to {high:.2f}"
    return GateFinding(holds, measured, f"{least} to {most}, with the interval not entirely outside {bottom} to {top}")


GATE = Gate(
    code="G002",
    title="risks are calibrated",
    reason=__doc__,
    do="Train on more recent terms, or find out what changed in them (onroll check). The reliability plot is in the report.",
    check=check,
)
