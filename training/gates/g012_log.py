"""Who decided what about a model can be told only while nobody can change the log unseen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Follow the log's chain, see that it knows the version, and that the champion is the one that it says."""
    required = "every line holds, and the champion is the one of the log"
    if dossier.take("log", "whole") is not True:
        return GateFinding(False, str(dossier.take("log", "why")), required)
    lines, version, champion = (dossier.number("log", name) for name in ("lines", "version", "champion"))
    if version != dossier.number("version"):
        return GateFinding(False, "the log does not know the version", required)
    if champion != dossier.number("log", "alias"):
        return GateFinding(False, "the file of aliases names another champion", required)
    return GateFinding(lines > 0, f"{lines:.0f} lines hold", required)


GATE = Gate(
    code="G012",
    title="the log of promotions is whole",
    reason=__doc__,
    do="Run 'onroll models verify'; take the log from a backup, and find out who changed it.",
    check=check,
)
