"""How sure a risk is: the calibrator refitted on resampled pupils, and boosters that learned from resampled pupils.

The interval says between which values the rate lies among children whom the model gives such a score, allowing for having learned from other
children (bagging, Breiman 1996; a clustered bootstrap, since snapshots of one pupil resemble each other). It does not say how far one child is
from the others with the score.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np

from training.fitting.candidates import Learning, boosted
from training.fitting.parallel import in_parallel
from training.measures.intervals import resampled

BOOSTERS = 6
KNOTS = 24


def spread(
    learning: Learning,
    pupil: np.ndarray,
    x: np.ndarray,
    margins: np.ndarray,
    settings: dict,
    advance: Callable[..., None] = lambda steps=1, description=None: None,
) -> dict[str, list[float]]:
    """Measure how far boosters that learned from resampled pupils differ, by margin.

    Parameters
    ----------
    learning : Learning
        What the model learned from.
    pupil : int array, shape (rows of learning,)
        The number of each row's pupil, from 0.
    x : float array, shape (rows, features)
        Snapshots on which they are compared.
    margins : float array, shape (rows,)
        The model's own margins of them.

    Returns
    -------
    dict
        ``margin``, rising knots, and ``sd``, the standard deviation of margins there.
    """

    def margins_of_resample(times: np.ndarray) -> np.ndarray:
        drawn = learning.rows(np.flatnonzero(times))
        drawn.weight[:] *= times[times > 0]
        return boosted.margins(boosted.train(drawn, settings), x)

    jobs = [partial(margins_of_resample, times) for times in resampled(pupil, learning.seed, BOOSTERS)]
    others = []
    for number, margins_of_other in enumerate(in_parallel(jobs, len(learning.y)), 1):
        advance(description=f"how sure: booster {number} of {BOOSTERS}")
        others.append(margins_of_other)
    # Each booster's own mean moves with how many positives were drawn; the calibrator's resamples hold that part already.
    parts = np.array([o - o.mean() for o in others])
    sd = parts.std(axis=0, ddof=1)
    order = np.argsort(margins, kind="stable")
    # Finer towards the top, where lists are made.
    shares = 1 - np.geomspace(1, 1 / max(len(order), 2), KNOTS)
    cuts = np.unique(np.r_[(shares * len(order)).astype(int), len(order)])
    pieces = [order[low:high] for low, high in pairwise(cuts) if high > low]
    knots = [(float(np.median(margins[p])), float(np.sqrt((sd[p] ** 2).mean()))) for p in pieces]
    return {"margin": [m for m, _ in knots], "sd": [s for _, s in knots]}
