"""Uncertainty of a risk: calibrators and models refitted on resampled pupils.

The interval is for the rate among children with such a score. It covers the uncertainty of having trained on other children (bagging, Breiman
1996; a clustered bootstrap, since snapshots of one pupil are correlated). It does not describe how children with the same score differ.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np

from training.fitting.candidates import Learn, Learning
from training.fitting.parallel import in_parallel
from training.measures.intervals import resampled

MODELS = 6
KNOTS = 24


def spread(
    learning: Learning,
    pupil: np.ndarray,
    x: np.ndarray,
    margins: np.ndarray,
    learn: Learn,
    advance: Callable[..., None] = lambda steps=1, description=None: None,
) -> dict[str, list[float]]:
    """Measure how far models trained on resampled pupils differ, by margin.

    Parameters
    ----------
    learning : Learning
        The model's training data.
    pupil : int array, shape (rows of learning,)
        Index of each row's pupil.
    x : float array, shape (rows, features)
        Snapshots to compare them on.
    margins : float array, shape (rows,)
        The model's margins of these snapshots.
    learn : callable
        Trains the model on other rows.

    Returns
    -------
    dict
        ``margin``, ascending knots, and ``sd``, the standard deviation of the margins there.
    """

    def margins_of_resample(times: np.ndarray) -> np.ndarray:
        drawn = learning.rows(np.flatnonzero(times))
        drawn.weight[:] *= times[times > 0]
        return learn(drawn)(x)

    jobs = [partial(margins_of_resample, times) for times in resampled(pupil, learning.seed, MODELS)]
    others = []
    for number, margins_of_other in enumerate(in_parallel(jobs, len(learning.y)), 1):
        advance(description=f"uncertainty: model {number} of {MODELS}")
        others.append(margins_of_other)
    # A model's mean depends on the number of positives drawn; the resampled calibrators already include that part.
    parts = np.array([o - o.mean() for o in others])
    sd = parts.std(axis=0, ddof=1)
    order = np.argsort(margins, kind="stable")
    # Finer towards the top, where lists are drawn up.
    shares = 1 - np.geomspace(1, 1 / max(len(order), 2), KNOTS)
    cuts = np.unique(np.r_[(shares * len(order)).astype(int), len(order)])
    pieces = [order[low:high] for low, high in pairwise(cuts) if high > low]
    knots = [(float(np.median(margins[p])), float(np.sqrt((sd[p] ** 2).mean()))) for p in pieces]
    return {"margin": [m for m, _ in knots], "sd": [s for _, s in knots]}
