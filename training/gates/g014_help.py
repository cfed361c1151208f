"""Help that follows a list changes the outcomes from which the next model learns. Learnt as they came, they say that the children who were helped needed no help."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from training.fitting.helped import NEVER, NOBODY, WAYS
from training.gates.gate import Dossier, Gate, GateFinding

LEARNT, JUDGED = ("recipe", "helped"), ("evidence", "helped")


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Look at the outcomes that taught the version, and at those that it was judged by, which may be newer."""
    served = str(dossier.take("log", "served_since"))
    ways = str(dossier.take("recipe", "question", "helped")), str(dossier.take(*JUDGED, "way"))
    found = [_outcomes(dossier, at, way, served, limits) for at, way in zip((LEARNT, JUDGED), ways, strict=True)]
    required = (
        f"at most {limits['snapshots']:,} helped snapshots, or their handling named ({', '.join(WAYS)}); help recorded since lists were served, "
        f"up to {limits['stale_days']} days before outcomes end, or that they led to none ({NOBODY})"
    )
    measured = "; ".join(f"{kind}: {text}" for kind, (_, text) in zip(("learnt", "judged by"), found, strict=True))
    return GateFinding(all(holds for holds, _ in found), measured, required)


def _outcomes(
    dossier: Dossier, at: tuple[str, ...], way: str, served: str, limits: Mapping[str, Any]
) -> tuple[bool, str]:
    """Return whether some outcomes may be used, and what they have seen of help."""
    helped, of, left_out, ended = (dossier.number(*at, name) for name in ("helped", "snapshots", "left_out", "ended"))
    until, recorded = (str(dossier.take(*at, name)) for name in ("until", "recorded_until"))
    text = f"{helped:,.0f} of {of:,.0f} snapshots were helped"
    text += f", {left_out:,.0f} are left out" * (left_out > 0) + f", {ended:,.0f} windows end with the help" * (
        ended > 0
    )
    text += f"; outcomes: {way}"
    # A record that ended months ago says as little about the windows after it as none at all.
    fresh = str(date.fromisoformat(until) - timedelta(days=limits["stale_days"]))
    is_silent = served != NEVER and served <= until and (recorded == NEVER or recorded < max(served, fresh))
    if is_silent and way != NOBODY:
        since = "no help is recorded" if recorded == NEVER else f"the newest record of help is of {recorded}"
        return (
            False,
            f"{text}; cannot be judged: lists were served from {served}, outcomes go on to {until}, and {since}",
        )
    return way in WAYS or helped <= limits["snapshots"], text


GATE = Gate(
    code="G014",
    title="outcomes that help changed are not learnt as they came",
    reason=__doc__,
    do="Put what was done beside the histories (onroll actions export), train or judge again, and name how such outcomes are handled: --helped untreated or "
    "--helped leave-out; or --helped nobody, if lists led to no help (docs/retraining.md).",
    check=check,
)
