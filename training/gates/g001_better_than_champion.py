"""A model replaces the champion only if it does better on the same children, both predicting before the outcomes were known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Compare the lead over the logged champion with the limit; without another champion there is nothing to beat."""
    bound = "the interval's lower end" if limits["surely"] else "a lead"
    least = f"{bound} of at least {limits['least_lead']:+.4f}"
    champion = dossier.number("log", "champion")
    if champion in (0, dossier.number("version")):
        return GateFinding(True, "there is no other champion", least)
    against = dossier.number("evidence", "champion", "version")
    if against != champion or dossier.take("evidence", "champion", "bundle") != dossier.take("log", "champion_bundle"):
        return GateFinding(
            False, f"it was compared with version {against:.0f}, and version {champion:.0f} serves", least
        )
    lead = dossier.number("evidence", "champion", "average_precision", "lead")
    low, high = dossier.interval("evidence", "champion", "average_precision", "interval")
    dossier.number("evidence", "champion", "snapshots")
    holds = (low if limits["surely"] else lead) >= limits["least_lead"]
    noise = " (within noise)" if low <= 0 <= high else ""
    measured = (
        f"{lead:+.4f} average precision over version {champion:.0f}, 95% interval {low:+.4f} to {high:+.4f}{noise}"
    )
    return GateFinding(holds, measured, least)


GATE = Gate(
    code="G001",
    title="better than the champion on the same snapshots",
    reason=__doc__,
    do="Keep the champion. Judge again when more outcomes are known: onroll models judge VERSION HISTORIES.",
    check=check,
)
