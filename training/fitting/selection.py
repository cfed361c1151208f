"""Choose a candidate by its mean regret over time and by what its lists find early.

Regret is how far a candidate fell behind the best candidate of an origin.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from training.fitting.early_recall import EarlyHits, early_hits
from training.fitting.rolling_origin import Predictions
from training.measures.evaluate import Resamples, interval
from training.measures.metrics import average_precision, resampled_precision

TIMES = 100  # resamples of pupils by which leads are compared with noise
LEAST_SHARE = 0.5  # of the best average precision, below which finding more early keeps no candidate


def choose(predictions: Predictions, among: list[str], seed: int) -> tuple[str, dict[str, Any]]:
    """Return the safest candidate that no other one beats in what counts.

    The best in mean regret in average precision over all origins sets a candidate aside if it is ahead beyond noise, unless that candidate's
    lists find more early and it keeps half of the best average precision (``LEAST_SHARE``): average precision over everybody is mostly about
    children who have already stopped coming, and they need a place too. Of the rest, those within noise of the highest early recall at capacity
    (``early_recall``) stay, and the safest of them is taken: a few dozen outcomes seldom tell good candidates apart.

    Parameters
    ----------
    among : list of str
        Candidates that can be released, the safest first.
    seed : int
        For the resamples of pupils. A candidate is within noise of the best if the 95% interval of the lead contains zero.

    Returns
    -------
    name, story : str, dict
        ``story`` holds average precision by origin and candidate, regrets, early recall, the candidates within noise of the best in each, those
        further behind in average precision whose lists find more early (``finds_more_early``), by which of the two the candidate was taken
        (``chosen_by``: ``early_recall`` if average precision alone would have taken another), and the loss against the best if the same
        rule had been applied at each origin to earlier origins only ("distance from the best next time").
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
    resamples = Resamples(predictions.pupil, seed, TIMES)
    draws = np.nan_to_num(_drawn(predictions, among, resamples))
    hits = early_hits(predictions, among, resamples)
    regret = table.max(axis=0) - table
    within_noise = _near_the_best(regret.mean(axis=1), draws)
    staying = _staying(table, draws, hits)
    chosen = staying.index(True)
    lost = [float(regret[_staying(table[:, :n], draws[:, :n], hits).index(True), n]) for n in origins if n > 0]
    recalls = hits.recall(len(origins))[:, -1] if hits else np.full(len(among), np.nan)
    story = {
        "average_precision_by_origin": {name: [float(v) for v in values] for name, values in by_origin.items()},
        "mean_regret": dict(zip(among, (float(m) for m in regret.mean(axis=1)), strict=True)),
        "within_noise": [name for name, within in zip(among, within_noise, strict=True) if within],
        "finds_more_early": [
            name for name, stays, near in zip(among, staying, within_noise, strict=True) if stays and not near
        ],
        "early_recall": dict(zip(among, map(float, recalls), strict=True)),
        "within_noise_early": [name for name, stays in zip(among, staying, strict=True) if stays],
        "chosen_by": "average_precision" if chosen == within_noise.index(True) else "early_recall",
        "lost_by_the_rule_next_time": lost,
    }
    return among[chosen], story


def _near_the_best(mean_regret: np.ndarray, draws: np.ndarray) -> list[bool]:
    """Return which candidates are within noise of the best in average precision.

    Parameters
    ----------
    mean_regret : float array, shape (candidates,)
    draws : float array, shape (candidates, origins, resamples)
        Average precision.
    """
    return _not_clearly_behind(int(np.argmin(mean_regret)), draws.mean(axis=1))


def _staying(table: np.ndarray, draws: np.ndarray, hits: EarlyHits | None) -> list[bool]:
    """Return which candidates stay for some origins; the first of them is taken.

    Those within noise of the best in average precision stay, and those that find more early than it and keep ``LEAST_SHARE`` of it; but only if
    they are within noise of the highest early recall of the former. So one that is clearly behind in average precision may stay, and is taken if
    it comes first.

    Parameters
    ----------
    table : float array, shape (candidates, origins)
        Average precision.
    draws : float array, shape (candidates, origins, resamples)
        Average precision in resamples.
    hits : EarlyHits or None
        Of these origins and perhaps later ones; without early outcomes average precision decides alone.
    """
    mean_regret = (table.max(axis=0) - table).mean(axis=1)
    near = _near_the_best(mean_regret, draws)
    recall = hits.recall(table.shape[1]) if hits else None
    if recall is None or not np.isfinite(recall[:, -1]).all():
        return near
    best, of_all = int(np.argmin(mean_regret)), table.mean(axis=1)
    more_early = (recall[:, -1] > recall[best, -1]) & (of_all >= LEAST_SHARE * of_all[best])
    highest = int(np.argmax(np.where(near, recall[:, -1], -1.0)))
    near_early = _not_clearly_behind(highest, recall[:, :-1])
    return [bool((one or more) and early) for one, more, early in zip(near, more_early, near_early, strict=True)]


def _not_clearly_behind(best: int, draws: np.ndarray) -> list[bool]:
    """Return which candidates' distance from one of them has an interval that contains zero; ``draws`` has shape (candidates, resamples)."""
    lowest = [interval(draws[best] - mean)[0] for mean in draws]
    return [n == best or low is None or low <= 0 for n, low in enumerate(lowest)]


def _drawn(predictions: Predictions, among: list[str], resamples: Resamples) -> np.ndarray:
    """Return average precision by candidate, origin and resample of pupils."""
    times = np.array(resamples.weights)
    label, weight = predictions.label, predictions.weight
    draws = np.empty((len(among), int(predictions.origin.max()) + 1, TIMES))
    for origin in range(draws.shape[1]):
        rows = np.flatnonzero(predictions.origin == origin)
        for at, name in enumerate(among):
            score = predictions.margins[name][rows]
            order = rows[np.argsort(-score, kind="stable")]
            drawn = (row * weight[order] for row in times[:, order])
            draws[at, origin] = resampled_precision(predictions.margins[name][order], label[order], drawn)
    return draws
