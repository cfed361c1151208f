"""A model takes the place of another only when it does better on the same children, each asked before their outcome was known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding


def asked(d: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Compare the lead over the champion of the log with the least; there is nothing to beat while there is no other."""
    least = f"a lead of at least {limits['least_lead']:+.4f}{', surely' if limits['surely'] else ''}"
    champion = d.number("log", "champion")
    if champion in (0, d.number("version")):
        return GateFinding(True, "there is no other champion", least)
    against = d.number("evidence", "champion", "version")
    if against != champion or d.take("evidence", "champion", "bundle") != d.take("log", "champion_bundle"):
        return GateFinding(
            False, f"it was compared with version {against:.0f}, and version {champion:.0f} serves", least
        )
    lead = d.number("evidence", "champion", "average_precision", "lead")
    low, high = d.interval("evidence", "champion", "average_precision", "interval")
    d.number("evidence", "champion", "snapshots")
    holds = (low if limits["surely"] else lead) >= limits["least_lead"]
    noise = " (within noise)" if low <= 0 <= high else ""
    said = f"{lead:+.4f} average precision over version {champion:.0f}, 95% interval {low:+.4f} to {high:+.4f}{noise}"
    return GateFinding(holds, said, least)


GATE = Gate(
    code="G001",
    title="better than the champion on the same matured snapshots",
    reason=__doc__,
    do="Keep the champion; judge again when more outcomes are known (onroll models judge VERSION HISTORIES).",
    asked=asked,
)
