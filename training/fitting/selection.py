"""Choose a candidate by its mean regret over time: how far it fell behind the best candidate of each origin."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.fitting.rolling_origin import Predictions
from training.measures.evaluate import Resamples, interval
from training.measures.metrics import average_precision

TIMES = 100  # resamples of pupils by which leads are compared with noise


def choose(predictions: Predictions, among: list[str], seed: int) -> tuple[str, dict[str, Any]]:
    """Return the first candidate that is within noise of the smallest mean regret in average precision over all origins.

    A few dozen outcomes seldom tell good candidates apart; among those that they do not tell apart, the safest is taken.

    Parameters
    ----------
    among : list of str
        Candidates that can be released, the safest first.
    seed : int
        For the resamples of pupils. A candidate is within noise of the best if the 95% interval of the lead contains zero.

    Returns
    -------
    name, story : str, dict
        ``story`` holds average precision by origin and candidate, regrets, the candidates within noise of the best, and the loss against
        the best if the same rule had been applied at each origin to earlier origins only ("distance from the best next time").
    """
    origins = range(int(predictions.origin.max()) + 1)
    label, weight = predictions.label, predictions.weight
    by_origin = {
        name: np.array(
            [
                average_precision(m[rows], label[rows], weight[rows])
                for rows in (predictions.origin == n for n in origins)
            ]
        )
        for name, m in predictions.margins.items()
    }
    table = np.nan_to_num(np.array([by_origin[name] for name in among]))
    draws = np.nan_to_num(_drawn(predictions, among, seed))
    regret = table.max(axis=0) - table
    chosen, within_noise = _safest(regret, draws)
    lost = [float(regret[_safest(regret[:, :n], draws[:, :n])[0], n]) for n in origins if n > 0]
    story = {
        "average_precision_by_origin": {name: [float(v) for v in values] for name, values in by_origin.items()},
        "mean_regret": dict(zip(among, (float(m) for m in regret.mean(axis=1)), strict=True)),
        "within_noise": [name for name, within in zip(among, within_noise, strict=True) if within],
        "lost_by_the_rule_next_time": lost,
    }
    return among[chosen], story


def _safest(regret: np.ndarray, draws: np.ndarray) -> tuple[int, list[bool]]:
    """Return the first candidate within noise of the best, and who is.

    Parameters
    ----------
    regret : float array, shape (candidates, origins)
    draws : float array, shape (candidates, origins, resamples)
        Average precision.
    """
    best, means = int(np.argmin(regret.mean(axis=1))), draws.mean(axis=1)
    lowest = [interval(means[best] - mean)[0] for mean in means]
    within = [n == best or low is None or low <= 0 for n, low in enumerate(lowest)]
    return within.index(True), within


def _drawn(predictions: Predictions, among: list[str], seed: int) -> np.ndarray:
    """Return average precision by candidate, origin and resample of pupils."""
    times = np.array(Resamples(predictions.pupil, seed, TIMES).weights)
    label, weight = predictions.label, predictions.weight
    draws = np.empty((len(among), int(predictions.origin.max()) + 1, TIMES))
    for origin in range(draws.shape[1]):
        rows = np.flatnonzero(predictions.origin == origin)
        for at, name in enumerate(among):
            score = predictions.margins[name][rows]
            order = rows[np.argsort(-score, kind="stable")]
            draws[at, origin] = _resampled_precision(np.sort(-score), label[order], weight[order], times[:, order])
    return draws


def _resampled_precision(score: np.ndarray, label: np.ndarray, weight: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return average precision in every resample of rows in ascending order of ``score``, ties taken together."""
    hits = np.flatnonzero(label == 1)
    ends = np.searchsorted(score, score[hits], side="right") - 1  # the last row tied with each hit
    last_hits = np.searchsorted(hits, ends, side="right") - 1
    precision = np.full(len(times), np.nan)
    for n, row in enumerate(times):
        positives = (weight * row)[hits]
        if positives.sum() > 0:
            seen = np.cumsum(weight * row)[ends]
            share = np.divide(np.cumsum(positives)[last_hits], seen, out=np.zeros(len(hits)), where=seen > 0)
            precision[n] = positives @ share / positives.sum()
    return precision
