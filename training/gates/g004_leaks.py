"""A feature that sees the future makes every figure of a model too good, and the model worthless on the day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """See that the proof ran on these histories with these features, that it tried something, and that nothing moved."""
    most = (
        f"no feature moves, over {limits['snapshots']:,} snapshots and more, on the histories and features trained with"
    )
    for name in ("data_digest", "catalogue_digest"):
        if dossier.take("evidence", "leaks", name) != dossier.take("manifest", name):
            return GateFinding(False, f"the proof is of another {name.replace('_', ' ')}", most)
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
        f"{measured} under {tried:,} rows of another future, {snapshots:,.0f} snapshots",
        most,
    )


GATE = Gate(
    code="G004",
    title="no feature sees the future",
    reason=__doc__,
    do="Run 'onroll leaks HISTORIES --as-of D' to see which table moves which feature; mend it and train again.",
    check=check,
)
