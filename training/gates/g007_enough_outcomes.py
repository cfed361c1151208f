"""Figures from a handful of children who went missing prove little, however good they look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Count the outcomes on the judged days."""
    positives, snapshots = dossier.number(*dossier.figure("positives")), dossier.number(*dossier.figure("snapshots"))
    holds = positives >= limits["positives"] and snapshots >= limits["snapshots"]
    required = f"at least {limits['positives']:,} of at least {limits['snapshots']:,}"
    return GateFinding(holds, f"{positives:,.0f} of {snapshots:,.0f} judged snapshots went missing", required)


GATE = Gate(
    code="G007",
    title="enough known outcomes",
    reason=__doc__,
    do="Wait until more outcomes are known, pool authorities, or use a definition that counts more children.",
    check=check,
)
