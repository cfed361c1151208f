"""The candidate models, which are all trained and evaluated on the same data."""

from __future__ import annotations

from typing import Any

from training.bundle import PARTS
from training.explanation.scorer import weighted_mean
from training.fitting.candidates import baselines, boosted, ridge
from training.fitting.candidates.candidate import Candidate, Learn, Learning, Scorer

MEANS = {
    "weighted_mean": "weighted mean of the log-odds, three parts ridge and one LightGBM",
    "mean": "mean of the log-odds of ridge and LightGBM",
}


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
        *(
            Candidate(name, title, learner(name, settings), settings, mean_of=_mean_of(name, settings))
            for name, title in MEANS.items()
        ),
    ]


def releasable(candidates: list[Candidate], settings: dict[str, Any]) -> list[str]:
    """Return the names of the candidates that may be released, the safest first.

    The ridge regression comes first: it is the simplest, finds most early, and loses least if children go missing for other reasons than
    before. The means come next, first the one that leans on it. With monotone directions, the booster without them is a candidate only to
    show what they cost; it is not released.
    """
    may = [c for c in candidates if c.settings and (c.settings["monotone"] or not settings["monotone"])]
    return [c.name for c in sorted(may, key=_share_of_trees)]


def _share_of_trees(candidate: Candidate) -> float:
    return 1 - candidate.mean_of.get("ridge", float(candidate.name == "ridge"))


def learner(name: str, settings: dict[str, Any]) -> Learn:
    """Return the function by which a releasable candidate learns.

    Parameters
    ----------
    name : str
        ``ridge``, one of ``MEANS``, or any other name for a booster.
    settings : dict
        See ``boosted.DEFAULTS``; the ridge regression only reads whether directions hold.
    """
    if name == "ridge":
        return ridge.learner(settings)
    if name not in MEANS:
        return boosted.learner(settings)

    def learn(learning: Learning) -> Scorer:
        parts = {"ridge": ridge.learner(settings)(learning), "booster": boosted.learner(settings)(learning)}
        weights = PARTS[name]
        return lambda x: weighted_mean([parts[part](x) for part in weights], list(weights.values()))

    return learn


def _mean_of(name: str, settings: dict[str, Any]) -> dict[str, float]:
    booster = "lightgbm" if settings["monotone"] else "lightgbm_free"
    return {booster if part == "booster" else part: weight for part, weight in PARTS[name].items()}


__all__ = ["Candidate", "Learn", "Learning", "Scorer", "grid", "learner", "releasable"]
