"""The candidate models, which are all trained and evaluated on the same data."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.fitting.candidates import baselines, boosted, ridge
from training.fitting.candidates.candidate import Candidate, Learn, Learning, Scorer


def grid(settings: dict[str, Any]) -> list[Candidate]:
    """Return every candidate, simplest first; boosters with the given settings, with and without monotone directions."""
    monotone, free = {**settings, "monotone": True}, {**settings, "monotone": False}
    return [
        Candidate("base_rate", "knowing nothing", baselines.base_rate),
        Candidate("best_single", "the best single feature", baselines.best_single),
        Candidate("checklist", "a checklist with points", baselines.checklist),
        Candidate("surroundings", "school and area alone", ridge.surroundings()),
        Candidate("ridge", "ridge logistic regression", ridge.learner(settings), settings),
        Candidate("lightgbm_free", "LightGBM without directions", boosted.learner(free), free, side_by_side=True),
        Candidate(
            "lightgbm", "LightGBM with monotone directions", boosted.learner(monotone), monotone, side_by_side=True
        ),
        Candidate(
            "mean",
            "mean of the log-odds of ridge and LightGBM",
            learner("mean", settings),
            settings,
            mean_of=("ridge", "lightgbm" if settings["monotone"] else "lightgbm_free"),
        ),
    ]


def releasable(candidates: list[Candidate], settings: dict[str, Any]) -> list[str]:
    """Return the names of the candidates that may be released, the safest first.

    Models of two kinds err differently, so their mean comes first: it loses least if children go missing for other reasons than before.
    The simplest come next. With monotone directions, the booster without them is a candidate only to show what they cost; it is not
    released.
    """
    may = [c for c in candidates if c.settings and (c.settings["monotone"] or not settings["monotone"])]
    return [c.name for c in sorted(may, key=_is_no_mean)]


def _is_no_mean(candidate: Candidate) -> bool:
    return not candidate.mean_of


def learner(name: str, settings: dict[str, Any], strength: float | None = None) -> Learn:
    """Return the function by which a releasable candidate learns.

    Parameters
    ----------
    name : str
        ``ridge``, ``mean``, or any other name for a booster.
    settings : dict
        See ``boosted.DEFAULTS``; the ridge regression only reads whether directions hold.
    strength : float, optional
        Of the ridge regression; chosen anew each time without it.
    """
    if name == "ridge":
        return ridge.learner(settings, strength)
    if name != "mean":
        return boosted.learner(settings)

    def learn(learning: Learning) -> Scorer:
        of_ridge, of_booster = ridge.learner(settings, strength)(learning), boosted.learner(settings)(learning)
        return lambda x: np.mean([of_ridge(x), of_booster(x)], axis=0)

    return learn


__all__ = ["Candidate", "Learn", "Learning", "Scorer", "grid", "learner", "releasable"]
