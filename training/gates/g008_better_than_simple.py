"""A model no better than chance, or than a checklist that a school can fill in, is not worth the data it uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Check that the model leads each baseline, with the whole interval where the limits say so."""
    surely, over = limits["surely_over"], limits["over"]
    measured, holds = [], bool(surely or over)
    for name in dict.fromkeys([*surely, *over]):
        lead = dossier.number("manifest", "leads", name, "average_precision", "lead")
        low, high = dossier.interval("manifest", "leads", name, "average_precision", "interval")
        holds &= low > 0 if name in surely else lead >= 0
        measured.append(f"{lead:+.4f} over {name.replace('_', ' ')} ({low:+.4f} to {high:+.4f})")
    required = [f"the whole interval above {n.replace('_', ' ')}" for n in surely] + [
        f"above {n.replace('_', ' ')}" for n in over
    ]
    return GateFinding(holds, "; ".join(measured) or "no lead", ", ".join(required) or "some lead")


GATE = Gate(
    code="G008",
    title="better than chance and than a checklist",
    reason=__doc__,
    do="Supply more terms or more tables, or use the checklist: it needs no model.",
    check=check,
)
