"""The way from the base to a margin, step by step: records first, pictures are drawn from them elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.explanation.score import Score

BASE, OTHER, MARGIN = "Everyone scored", "About the pupil and the data", "This pupil"


def waterfall(score: Score, themes: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Give the steps as ``{label, start, end}`` in log-odds; each begins where the one before ended.

    The first step is the base from zero, the last the margin from zero; between them the reasons, what is no
    reason as one step, and what lowers the risk.
    """
    words = themes or {}
    steps = [(words.get(r.theme, r.theme), r.contribution) for r in score.reasons]
    if score.context:
        steps.append((OTHER, sum(c.contribution for c in score.context)))
    steps += [(words.get(r.theme, r.theme), r.contribution) for r in score.protective]
    records: list[dict[str, Any]] = [{"label": BASE, "start": 0.0, "end": score.base}]
    at = score.base
    for label, change in steps:
        records.append({"label": label, "start": at, "end": at + change})
        at += change
    records.append({"label": MARGIN, "start": 0.0, "end": score.margin})
    return records
