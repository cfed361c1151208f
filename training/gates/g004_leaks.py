"""A feature that sees the future makes every figure look too good and the model worthless in use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Check that the leakage test ran on these histories and features, changed some rows, and moved no feature."""
    most = f"no feature moves, over at least {limits['snapshots']:,} snapshots, with the histories and features of the training"
    for name in ("data_digest", "catalogue_digest"):
        if dossier.take("evidence", "leaks", name) != dossier.take("manifest", name):
            return GateFinding(False, f"the leakage test ran with another {name.replace('_', ' ')}", most)
    snapshots, features = (
        dossier.number("evidence", "leaks", "snapshots"),
        dossier.number("evidence", "leaks", "features"),
    )
    tried = sum(sum(kinds.values()) for kinds in dossier.take("evidence", "leaks", "rows").values())
    leaks = dict(dossier.take("evidence", "leaks"))["leaks"]
    moved = sorted({leak["feature"] for leak in leaks})
    measured = f"{len(moved)} features moved ({', '.join(moved[:5])})" if moved else "no feature moved"
    holds = dossier.take("evidence", "leaks", "holds") is True and leaks == [] and snapshots >= limits["snapshots"]
    return GateFinding(
        holds and tried > 0 and features > 0,
        f"{measured} when {tried:,} future rows were changed, over {snapshots:,.0f} snapshots",
        most,
    )


GATE = Gate(
    code="G004",
    title="no feature sees the future",
    reason=__doc__,
    do="Run 'onroll leaks HISTORIES --as-of D' to see which table moves which feature. Fix the feature and train again.",
    check=check,
)
