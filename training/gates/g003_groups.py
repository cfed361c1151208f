"""A list that clearly misses, or clearly singles out, some groups of children more than others must not go into use unnoticed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.evaluation.fairness_report import FIGURES, FairnessReport
from training.gates.gate import Dossier, Gate, GateFinding, Missing


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Look for groups whose whole gap interval lies beyond a limit. If no group can be measured, the gate fails."""
    report = FairnessReport.from_dict(dossier.take("evidence", "groups"))
    widest = {figure: limits[figure] for figure in FIGURES if figure in limits}
    required = ", ".join(f"{figure.replace('_', ' ')} {limit:g}" for figure, limit in widest.items())
    evaluated = {s.groups[0] for s in report.slices}
    for group in limits["groups"]:
        if group not in evaluated and group not in dossier.take("evidence", "groups", "left_out"):
            raise Missing(f"evidence, groups, {group}")
    slices = [s for s in report.slices if s.groups[0] in limits["groups"]]
    counted = {figure: len([s for s in report.measured(figure) if s in slices]) for figure in widest}
    for figure in limits["measured"]:
        if not counted[figure]:
            return GateFinding(False, f"no group's {figure.replace('_', ' ')} could be measured", required)
    beyond = [(s, figure) for s, figure in report.beyond(widest) if s in slices]
    if beyond:
        measured = "; ".join(f"{figure.replace('_', ' ')} of {s.title} {s.gaps[figure]}" for s, figure in beyond)
        return GateFinding(False, measured, required)
    none = [figure.replace("_", " ") for figure, n in counted.items() if not n]
    few = f"; too few children to measure {', '.join(none)}" if none else ""
    return GateFinding(True, f"no gap beyond a limit in {max(counted.values())} groups{few}", required)


GATE = Gate(
    code="G003",
    title="gaps between groups of children are within limits",
    reason=__doc__,
    do="Read the fairness table (onroll train --report) with people who know these children. Do not adjust scores by group.",
    check=check,
)
