"""The candidate models, which are all trained and evaluated on the same data."""

from __future__ import annotations

from typing import Any

from training.fitting.candidates import baselines, boosted, linear
from training.fitting.candidates.candidate import Candidate, Learning, Scorer


def grid(settings: dict[str, Any]) -> list[Candidate]:
    """Return every candidate, simplest first; boosters with the given settings, with and without monotone directions."""
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
    """Return the names of the boosters that may be released.

    With monotone directions, the booster without them is a candidate only to show what they cost; it is not released.
    """
    return [c.name for c in candidates if c.settings and (c.settings["monotone"] or not settings["monotone"])]


__all__ = ["Candidate", "Learning", "Scorer", "grid", "releasable"]
