"""The log proves who decided what about a model only if changes to it are detected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Verify the log's chain, and that it holds this version and the serving champion."""
    required = "every line verifies, and the champion is the logged one"
    if dossier.take("log", "whole") is not True:
        return GateFinding(False, str(dossier.take("log", "why")), required)
    lines, version, champion = (dossier.number("log", name) for name in ("lines", "version", "champion"))
    if version != dossier.number("version"):
        return GateFinding(False, "the version is not in the log", required)
    if champion != dossier.number("log", "alias"):
        return GateFinding(False, "the alias file names another champion", required)
    return GateFinding(lines > 0, f"{lines:.0f} lines verified", required)


GATE = Gate(
    code="G012",
    title="the promotion log is intact",
    reason=__doc__,
    do="Run 'onroll models verify'. Restore the log from a backup, and find out who changed it.",
    check=check,
)
