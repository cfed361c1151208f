"""Baselines: a constant, the best single feature, and a checklist."""

from __future__ import annotations

import numpy as np

from features.catalogue import catalogue
from training.fitting.candidates.candidate import Learning, Scorer
from training.measures.metrics import average_precision

NEGATIVES = 30_000  # rows without the outcome; enough to compare features
# A checklist of the kind that authorities use to find children at risk (RONI): points per ticked item.
CHECKLIST: tuple[tuple[str, float, int], ...] = (
    ("absent_rate_90d", 0.10, 1),
    ("absent_rate_90d", 0.50, 2),
    ("unauthorised_rate_90d", 0.05, 1),
    ("suspensions_365d", 1, 1),
    ("permanent_exclusions", 1, 2),
    ("in_year_moves_365d", 1, 2),
    ("home_moves_365d", 1, 1),
    ("temporary_home", 1, 1),
    ("cin_open", 1, 2),
    ("cpp_open", 1, 2),
    ("sen_plan", 1, 1),
    ("sen_support", 1, 1),
    ("past_cases", 1, 3),
    ("no_application", 1, 3),
    ("offer_declined", 1, 3),
    ("offer_not_answered", 1, 2),
)


def base_rate(learning: Learning) -> Scorer:
    """Give every row the same margin."""
    return lambda x: np.zeros(len(x))


def best_single(learning: Learning) -> Scorer:
    """Order by the feature, and in the direction, with the best average precision in training.

    Missing values come last.
    """
    best, chosen, subset = -1.0, (0, 1.0), learning.with_fewer_negatives(NEGATIVES)
    for at, name in enumerate(subset.names):
        direction = catalogue().by_name[name].direction if name in catalogue().by_name else 0
        for sign in (1.0, -1.0) if direction == 0 else (float(direction),):
            precision = average_precision(_last(sign * subset.x[:, at]), subset.y, subset.weight)
            if precision > best:
                best, chosen = precision, (at, sign)
    at, sign = chosen
    return lambda x: _last(sign * x[:, at])


def checklist(learning: Learning) -> Scorer:
    """Add up the checklist's points; nothing is learned."""
    at = {n: i for i, n in enumerate(learning.names)}

    def points(x: np.ndarray) -> np.ndarray:
        total = np.zeros(len(x))
        for name, least, worth in CHECKLIST:
            total += worth * (np.nan_to_num(x[:, at[name]], nan=0.0) >= least)
        return total

    return points


def _last(values: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(values), -1e18, values)
