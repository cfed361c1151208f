"""What serves has to be what was trained and judged, to the byte."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Check every file by its checksum, and the checksums by what the log noted when the version was registered."""
    required = "every file as it was registered"
    if dossier.take("bundle", "whole") is not True:
        return GateFinding(False, str(dossier.take("bundle", "why")), required)
    here, noted = str(dossier.take("bundle", "digest")), str(dossier.take("bundle", "registered"))
    return GateFinding(here == noted, f"{here[:12]} here, {noted[:12]} in the log", required)


GATE = Gate(
    code="G009",
    title="the model's files are those that were registered",
    reason=__doc__,
    do="Take the folder from a backup, or train again.",
    check=check,
)
