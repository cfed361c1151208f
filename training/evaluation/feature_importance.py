"""Feature importance: the mean absolute contribution of each feature, in log-odds."""

from __future__ import annotations

import numpy as np

from features.catalogue import catalogue
from training.explanation.scorer import scorer_of
from training.fitting.rolling_origin import matrix_of, weight_of
from training.pipeline import Trained

MAX = 2000  # snapshots of the newest test date; more hardly change the means


def contributions(trained: Trained, seed: int) -> dict[str, float]:
    """Return the mean absolute contribution of each feature, exact (see ``explanation.scorer``).

    Includes features of the role ``never_shown``, which move scores too.
    """
    frame = trained.predictions.frame
    rows = np.flatnonzero((frame["as_of"] == trained.splits.test[-1]).to_numpy())
    rng = np.random.Generator(np.random.PCG64(seed))
    chosen = np.sort(rng.choice(rows, min(len(rows), MAX), replace=False))
    parts = scorer_of(trained.booster, trained.manifest).contributions(matrix_of(frame[chosen], catalogue().names))
    mean = np.average(np.abs(parts[:, :-1]), axis=0, weights=weight_of(frame[chosen]))
    return dict(zip(catalogue().names, mean.tolist(), strict=True))
