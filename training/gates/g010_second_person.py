"""The person who trained a model must not approve it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Check that somebody other than the trainer approves, with a reason."""
    required = "an approver other than the trainer, and a reason"
    approver, trainer = (str(dossier.take(*path)).strip() for path in (("approver",), ("recipe", "trained_by")))
    if not str(dossier.take("reason")).strip() or not approver or not trainer:
        return GateFinding(False, "no approver, no trainer or no reason", required)
    same = approver.casefold() == trainer.casefold()
    return GateFinding(not same, f"trained by {trainer}, approved by {approver}", required)


GATE = Gate(
    code="G010",
    title="approved by somebody other than the trainer, with a reason",
    reason=__doc__,
    do="Ask another person to promote it: onroll models promote VERSION --approver NAME --reason WHY.",
    check=check,
)
