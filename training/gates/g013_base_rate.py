"""Risks and bands are fixed in training. If many more or fewer children go missing than then, every risk is wrong, in whatever order they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.evaluation.fairness_report import FairnessReport
from training.gates.gate import Dossier, Gate, GateFinding, Missing


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Compare the children who went missing on the newest judged days with the number that the risks had predicted."""
    dossier.take("evidence", "groups", "overall", "counts")
    ratio = FairnessReport.from_dict(dossier.take("evidence", "groups")).overall.figures["calibration"]
    if ratio is None:
        raise Missing("evidence, groups, overall, counts")
    most = limits["ratio"]
    required = (
        f"between {1 / most:.2f} and {most:.2f} times as many as predicted, with the interval not entirely outside"
    )
    holds = ratio.low <= most and ratio.high >= 1 / most
    measured = (
        f"{ratio.value:.2f} times as many went missing as predicted, 95% interval {ratio.low:.2f} to {ratio.high:.2f}"
    )
    return GateFinding(holds, measured, required)


GATE = Gate(
    code="G013",
    title="as many children go missing as predicted",
    reason=__doc__,
    do="Train on more recent terms, or find out what changed: the definition, the recording or the authority (onroll check).",
    check=check,
)
