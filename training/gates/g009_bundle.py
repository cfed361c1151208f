"""The model that serves must be the one that was trained and judged, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Check every file against its checksum, and the checksums against those logged at registration."""
    required = "every file as it was registered"
    if dossier.take("bundle", "whole") is not True:
        return GateFinding(False, str(dossier.take("bundle", "why")), required)
    actual, noted = str(dossier.take("bundle", "digest")), str(dossier.take("bundle", "registered"))
    return GateFinding(actual == noted, f"{actual[:12]} here, {noted[:12]} in the log", required)


GATE = Gate(
    code="G009",
    title="the model's files are as registered",
    reason=__doc__,
    do="Restore the folder from a backup, or train again.",
    check=check,
)
