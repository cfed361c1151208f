"""Uncertainty of a risk: calibrators and models refitted on resampled pupils, and how far terms and ranges of risks lie from one calibrator.

The interval is for the rate among children with such a score on a day to come. It covers the uncertainty of having trained on other children
(bagging, Breiman 1996; a clustered bootstrap, since snapshots of one pupil are correlated), and that this day is not quite like those before. It does
not describe how children with the same score differ.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np

from training.fitting.candidates import Learn, Learning
from training.fitting.parallel import in_parallel
from training.measures.calibration import risk
from training.measures.intervals import resampled

MODELS = 6
DRAWN = 0.632  # share of the pupils that a resample draws
KNOTS = 24
PARTS = 4  # ranges of risks in which as many outcomes are expected
SCALE = 0.3  # log-odds: of the half-normal prior of the deviation between terms; authorities differ more (``training.adoption``: 0.5)
STEPS = np.linspace(0.0, 5 * SCALE, 501)


def spread(
    learning: Learning,
    pupil: np.ndarray,
    x: np.ndarray,
    margins: np.ndarray,
    learn: Learn,
    *,
    advance: Callable[..., None] = lambda steps=1, description=None, work=None: None,
    kind: str = "",
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
    advance, kind : callable, str
        See ``pace.Pace``; the kind of work that training such a model is.

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
    others, made = [], in_parallel(jobs, len(learning.y))
    for number in range(1, MODELS + 1):
        advance(description=f"uncertainty: model {number} of {MODELS}", work=(kind, DRAWN * len(learning.y)))
        others.append(next(made))
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


def between(
    margins: np.ndarray, label: np.ndarray, weight: np.ndarray, term: np.ndarray, pair: tuple[float, float]
) -> dict[str, list[float]]:
    """Measure how far rates lie from the calibrated risks beyond chance, from term to term, by range of risks.

    One line is fitted to all terms and risks. Resampled children show neither that the next term differs from all of these, nor that the line should
    bend: in each range both are a random effect of its terms (DerSimonian and Laird 1986). Few outcomes cannot show that there is none, so the
    posterior mean of its variance is taken, with a half-normal prior of the standard deviation (as Röver and others 2021 recommend).

    Parameters
    ----------
    margins : float array, shape (rows,)
        Predicted before the outcomes.
    term : int array, shape (rows,)
        Index of each row's day.
    pair : tuple of float
        Slope and intercept that were fitted to all of these rows.

    Returns
    -------
    dict
        ``margin``, ascending, the middle of each range, and ``sd``, the standard deviation in log-odds of a term to come.
    """
    expected = risk(margins, *pair)
    information = weight * expected * (1 - expected)
    order = np.argsort(margins, kind="stable")
    below = np.cumsum(information[order]) / information.sum()
    part, of_term = np.empty(len(order), int), np.unique(term, return_inverse=True)[1]
    part[order] = np.minimum(below * PARTS, PARTS - 1)
    knots = []
    for rows in (np.flatnonzero(part == n) for n in np.unique(part)):
        excess, known = (
            np.bincount(of_term[rows], weights=v[rows]) for v in (weight * (label - expected), information)
        )
        middle = float(np.average(margins[rows], weights=information[rows]))
        knots.append((middle, _deviation(excess[known > 0], known[known > 0])))
    return {"margin": [m for m, _ in knots], "sd": [s for _, s in knots]}


def _deviation(excess: np.ndarray, information: np.ndarray) -> float:
    """Return the standard deviation of terms: an excess varies by its information by chance, and by its square with the terms."""
    variance = information + information**2 * STEPS[:, None] ** 2
    likelihood = -0.5 * (np.log(variance) + excess**2 / variance).sum(axis=1) - 0.5 * (STEPS / SCALE) ** 2
    mean = np.average(STEPS**2, weights=np.exp(likelihood - likelihood.max()))
    return float(np.sqrt(mean * (1 + 1 / len(excess))))  # the mean of the terms is not known either
