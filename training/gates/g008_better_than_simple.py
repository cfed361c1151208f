"""A model that does no better than chance, or than a checklist a school can fill in, is not worth the data it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding


def asked(d: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Hold the model's leads over what it has to beat against nothing."""
    surely, over = limits["surely_over"], limits["over"]
    said, holds = [], bool(surely or over)
    for name in dict.fromkeys([*surely, *over]):
        lead = d.number("manifest", "leads", name, "average_precision", "lead")
        low, high = d.interval("manifest", "leads", name, "average_precision", "interval")
        holds &= low > 0 if name in surely else lead >= 0
        said.append(f"{lead:+.4f} over {name.replace('_', ' ')} ({low:+.4f} to {high:+.4f})")
    asked_of = [f"surely above {n.replace('_', ' ')}" for n in surely] + [f"above {n.replace('_', ' ')}" for n in over]
    return GateFinding(holds, "; ".join(said) or "no lead", ", ".join(asked_of) or "some lead")


GATE = Gate(
    code="G008",
    title="better than chance and than a checklist",
    reason=__doc__,
    do="Give more terms of histories or more tables, or use the checklist: it needs no model.",
    asked=asked,
)
