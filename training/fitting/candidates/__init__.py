"""The candidates of one grid: each learns from a matrix and orders the rows of another."""

from __future__ import annotations

from typing import Any

from training.fitting.candidates import baselines, boosted, linear
from training.fitting.candidates.candidate import Candidate, Learning, Scorer


def grid(settings: dict[str, Any]) -> list[Candidate]:
    """Return every candidate, the plainest first; the boosters have some settings, with and without monotone directions."""
    monotone, free = {**settings, "monotone": True}, {**settings, "monotone": False}
    return [
        Candidate("base_rate", "knowing nothing", baselines.base_rate),
        Candidate("best_single", "the best single feature", baselines.best_single),
        Candidate("checklist", "a checklist with points", baselines.checklist),
        Candidate("surroundings", "school and area alone", linear.surroundings),
        Candidate("logistic", "elastic-net logistic regression", linear.elastic_net),
        Candidate("lightgbm_free", "LightGBM without directions", boosted.learner(free), free),
        Candidate("lightgbm", "LightGBM with monotone directions", boosted.learner(monotone), monotone),
    ]


def releasable(candidates: list[Candidate], settings: dict[str, Any]) -> list[str]:
    """Name the boosters that may be released.

    Where directions are asked for, a booster without them stays in the grid to say what they cost, and is not released.
    """
    return [c.name for c in candidates if c.settings and (c.settings["monotone"] or not settings["monotone"])]


__all__ = ["Candidate", "Learning", "Scorer", "grid", "releasable"]
