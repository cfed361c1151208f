"""From contributions to reasons: sums by theme with their sign, each with its sentence and its features."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from training.bundle import Declaration
from training.explanation.score import Context, Part, Reason
from training.explanation.sentences import sentence

NEVER_SHOWN = "not shown"
SECOND_SENTENCE = 0.5  # a second feature speaks too when its share is at least half of the first one's
EVIDENCE = 10

Evidence = Mapping[str, Sequence[Mapping[str, Any]]]


class Reasons:
    """Turns the contributions of rows into reasons, by the declarations of the features."""

    def __init__(self, features: Sequence[str], catalogue: Sequence[Declaration]) -> None:
        by_name = {d.name: d for d in catalogue}
        self._features = list(features)
        self._declared = [by_name[name] for name in features]

    def of(
        self, row: Sequence[float], contributions: Sequence[float]
    ) -> tuple[list[Reason], list[Reason], list[Context]]:
        """Give what raises the risk, what lowers it and what is no reason, each largest first.

        Parameters
        ----------
        row, contributions : sequence of float
            Values (NaN is missing) and log-odds, in the order of the features.
        """
        values = dict(zip(self._features, row, strict=True))
        shown: dict[str, list[tuple[Part, Declaration]]] = {}
        context: dict[str, list[Part]] = {}
        hidden: list[float] = []
        for d, value, share in zip(self._declared, row, contributions, strict=True):
            if share == 0.0:
                continue
            part = Part(d.name, None if math.isnan(value) else float(value), float(share))
            if d.role == "reason":
                shown.setdefault(d.theme, []).append((part, d))
            elif d.role == "context":
                context.setdefault(d.theme, []).append(part)
            else:
                hidden.append(float(share))
        reasons = [_reason(theme, parts, values) for theme, parts in shown.items()]
        rest = [Context(t, math.fsum(p.contribution for p in ps), _largest(ps)) for t, ps in context.items()]
        if hidden:
            rest.append(Context(NEVER_SHOWN, math.fsum(hidden)))
        return (
            sorted((r for r in reasons if r.contribution > 0), key=lambda r: (-r.contribution, r.theme)),
            sorted((r for r in reasons if r.contribution <= 0), key=lambda r: (r.contribution, r.theme)),
            sorted(rest, key=lambda c: (-abs(c.contribution), c.theme)),
        )


def _largest(parts: list[Part]) -> list[Part]:
    return sorted(parts, key=lambda p: (-abs(p.contribution), p.name))


def _reason(theme: str, parts: list[tuple[Part, Declaration]], values: Mapping[str, float]) -> Reason:
    total = math.fsum(p.contribution for p, _ in parts)
    raises = total > 0
    sign = 1.0 if raises else -1.0
    speaking = sorted(
        ((p, d) for p, d in parts if sign * p.contribution > 0 or total == 0.0),
        key=lambda pd: (-sign * pd[0].contribution, pd[0].name),
    )
    said: list[str] = []
    for part, d in speaking[:2]:
        enough = sign * part.contribution >= SECOND_SENTENCE * sign * speaking[0][0].contribution
        text = sentence(d, raises, values) if enough else ""
        if text and text not in said:
            said.append(text)
    return Reason(
        theme=theme,
        sentence=" ".join(said),
        direction="raises" if raises else "lowers",
        contribution=total,
        features=_largest([p for p, _ in parts]),
    )


def with_evidence(reason: Reason, evidence: Evidence) -> Reason:
    """Give the reason with the dated records behind its features, the newest first, each record once."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for part in reason.features:
        if (part.contribution > 0) != (reason.direction == "raises"):
            continue
        for record in evidence.get(part.name, ()):
            one = {"table": record["table"], "date": str(record["date"]), "text": record["text"]}
            found.setdefault((one["date"], one["table"], one["text"]), one)
            if len(found) == EVIDENCE:
                break
        if len(found) == EVIDENCE:
            break
    return replace(reason, evidence=[found[key] for key in sorted(found, reverse=True)])
