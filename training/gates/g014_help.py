"""Help that follows a list changes the outcomes from which the next model learns. Learnt as they came, they say that the children who were helped needed no help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.fitting.helped import WAYS
from training.gates.gate import Dossier, Gate, GateFinding


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Count the helped snapshots that taught the version, unless their handling is named."""
    way = str(dossier.take("recipe", "question", "helped"))
    helped, of = dossier.number("recipe", "helped", "helped"), dossier.number("recipe", "helped", "snapshots")
    holds = way in WAYS or helped <= limits["snapshots"]
    required = f"at most {limits['snapshots']:,} helped snapshots, or their handling named ({', '.join(WAYS)})"
    return GateFinding(holds, f"{helped:,.0f} of {of:,.0f} snapshots were helped; outcomes: {way}", required)


GATE = Gate(
    code="G014",
    title="outcomes that help changed are not learnt as they came",
    reason=__doc__,
    do="Train again and name how such outcomes are handled: --helped untreated, or --helped leave-out (docs/retraining.md).",
    check=check,
)
