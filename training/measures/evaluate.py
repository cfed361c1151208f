"""Evaluation at a team's capacity, with intervals over resampled pupils."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from training.measures.calibration import fit, in_the_large
from training.measures.intervals import resampled
from training.measures.metrics import average_precision, found_within, listed, resampled_precision

SHARES = (0.001, 0.005, 0.01)  # capacities as shares of the cohort
PER_LIST = (8, 10, 25, 50)  # capacities as numbers on each list: one authority on one as-of date
TIMES = 200  # resamples of pupils


def share_key(share: float) -> str:
    """Return the name of a capacity that is a share of the cohort."""
    return f"top_{share:.1%}"


def list_key(number: int) -> str:
    """Return the name of a capacity that is a number on each list."""
    return f"top_{number}_a_list"


@dataclass(kw_only=True)
class Judged:
    """Scores and outcomes of the test period.

    Attributes
    ----------
    score : float array, shape (rows,)
        Higher is riskier.
    label : float array of 0 and 1
    pupil : int array
        Index of each row's pupil.
    list_of : int array
        Index of each row's list: one authority on one as-of date.
    weight : float array
        Weight of each row: 1 unless the negatives were sampled (``training.fitting.sampling``).
    """

    score: np.ndarray
    label: np.ndarray
    pupil: np.ndarray
    list_of: np.ndarray
    weight: np.ndarray


def at_capacity(judged: Judged) -> dict[str, dict[str, Any]]:
    """Return precision, recall, lift and number needed at each capacity, with ties at worst, expected and best.

    Returns
    -------
    dict
        ``top_0.1%`` and so on over the whole cohort, ``top_25_a_list`` and so on over each list.
    """
    weight, all_of = judged.weight, float(judged.weight.sum())
    total = float(weight @ judged.label)
    base = total / all_of
    result = {}
    for share in SHARES:
        k = share * all_of
        hits = np.array(found_within(judged.score, judged.label, k, weight))
        result[share_key(share)] = _figures(hits, k, total, base)
    order = np.argsort(judged.list_of, kind="stable")
    cuts = np.flatnonzero(np.diff(judged.list_of[order])) + 1
    lists = np.split(order, cuts)
    for n in PER_LIST:
        hits = np.sum([found_within(judged.score[i], judged.label[i], n, weight[i]) for i in lists], axis=0)
        result[list_key(n)] = _figures(hits, sum(min(n, weight[i].sum()) for i in lists), total, base)
    return result


def _figures(hits: Any, listed_count: float, total: float, base: float) -> dict[str, Any]:
    worst, expected, best = (float(f) / listed_count if listed_count else 0.0 for f in hits)
    return {
        "precision": expected,
        "precision_ties": [worst, best],
        "recall": float(hits[1]) / total if total else 0.0,
        "lift": expected / base if base else 0.0,
        "number_needed": 1 / expected if expected else float("inf"),
        "listed": float(listed_count),
    }


class Resamples:
    """Resamples of pupils shared by all candidates, so that differences are paired.

    A clustered bootstrap: a pupil's snapshots are drawn together, since they are correlated. Each draw gives the number of times
    that each pupil occurs.

    Parameters
    ----------
    pupil : int array, shape (rows,)
        Index of each row's pupil.
    """

    def __init__(self, pupil: np.ndarray, seed: int, times: int = TIMES) -> None:
        self.weights = [weight.astype(np.float32) for weight in resampled(pupil, seed, times)]

    def draws(self, judged: Judged) -> dict[str, np.ndarray]:
        """Return each figure in every resample: average precision, and precision and recall at each capacity."""
        order = np.argsort(-judged.score, kind="stable")
        score, label = judged.score[order], judged.label[order]
        seen = np.cumsum(judged.weight[order])
        cuts = {share_key(s): order[: max(int(np.searchsorted(seen, s * seen[-1])), 1)] for s in SHARES}
        cuts |= {
            list_key(n): np.flatnonzero(listed(judged.score, judged.list_of, n, 0, judged.weight)) for n in PER_LIST
        }
        ordered = judged.weight[order]
        precision = resampled_precision(score, label, (times[order] * ordered for times in self.weights))
        hits_at = np.flatnonzero(judged.label == 1)
        drawn: dict[str, list[float]] = {"average_precision": precision.tolist()}
        for times in self.weights:
            total = float((times[hits_at] * judged.weight[hits_at]).sum())
            for name, cut in cuts.items():
                w = times[cut] * judged.weight[cut]
                hits = float(w @ judged.label[cut])
                drawn.setdefault(f"{name}.precision", []).append(hits / max(float(w.sum()), 1.0))
                drawn.setdefault(f"{name}.recall", []).append(hits / total if total else np.nan)
        return {name: np.array(values) for name, values in drawn.items()}


def interval(draws: np.ndarray, level: float = 0.95) -> list[float | None]:
    """Return the percentile interval of resampled values; nulls if there are none."""
    good = draws[np.isfinite(draws)]
    if not len(good):
        return [None, None]
    tail = 50 * (1 - level)
    return [float(np.percentile(good, tail)), float(np.percentile(good, 100 - tail))]


def calibrated(risk: np.ndarray, label: np.ndarray, weight: np.ndarray, resamples: Resamples) -> dict[str, Any]:
    """Return Brier score, calibration slope and intercept with intervals, and the points of a reliability plot.

    Slope and intercept come from logistic recalibration (Cox 1958): a slope below 1 means that high risks are overstated. The intercept is that
    at a slope of 1 (calibration in the large): below 0, risks are overstated on the whole.
    """
    logit = np.log(np.clip(risk, 1e-9, 1 - 1e-9) / (1 - np.clip(risk, 1e-9, 1 - 1e-9)))

    def both(
        weights: np.ndarray, slope_and_intercept: tuple[float, float], level: float
    ) -> tuple[tuple[float, float], float]:
        pair = fit(logit, label, weights, near=slope_and_intercept)
        return pair, in_the_large(logit, label, weights, near=level)

    pair, level = both(weight, (1.0, 0.0), 0.0)
    draws = [both(times * weight, pair, level) for times in resamples.weights[:50]]
    slopes, levels = (np.array(v) for v in zip(*((a, at) for (a, _), at in draws), strict=True))
    return {
        "brier": float(np.average((risk - label) ** 2, weights=weight)),
        "calibration_slope": pair[0],
        "calibration_slope_interval": interval(slopes),
        "calibration_intercept": level,
        "calibration_intercept_interval": interval(levels),
        "expected": float(weight @ risk),
        "observed": float(weight @ label),
        "reliability": _reliability(risk, label, weight),
    }


def _reliability(risk: np.ndarray, label: np.ndarray, weight: np.ndarray) -> list[dict[str, float]]:
    """Split snapshots into ten parts with equal expected numbers of outcomes."""
    order = np.argsort(risk, kind="stable")
    share = np.cumsum((weight * risk)[order]) / max(float(weight @ risk), 1e-12)
    part = np.minimum((share * 10).astype(int), 9)
    points = []
    for n in range(10):
        rows = order[part == n]
        if len(rows):
            predicted, observed = (float(np.average(v[rows], weights=weight[rows])) for v in (risk, label))
            points.append({"told": predicted, "seen": observed, "snapshots": float(weight[rows].sum())})
    return points


def judge(
    judged: Judged, risk: np.ndarray | None, resamples: Resamples
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return every figure of a candidate, and its resampled figures for paired comparisons.

    Parameters
    ----------
    risk : float array or None
        Calibrated probabilities, if the candidate has them.
    """
    from sklearn.metrics import roc_auc_score

    draws = resamples.draws(judged)
    figures: dict[str, Any] = {
        "average_precision": average_precision(judged.score, judged.label, judged.weight),
        "auc": float(roc_auc_score(judged.label, judged.score, sample_weight=judged.weight)),
        "base_rate": float(np.average(judged.label, weights=judged.weight)),
        "positives": int(judged.label.sum()),
        "snapshots": round(float(judged.weight.sum())),
        "at_capacity": at_capacity(judged),
        "intervals": {name: interval(values) for name, values in draws.items()},
    }
    if risk is not None:
        figures |= calibrated(risk, judged.label, judged.weight, resamples)
    return figures, draws
