"""Judging by use: who is found among the few that a team can look into, with intervals over resampled pupils."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHARES = (0.001, 0.005, 0.01)  # capacities as shares of the cohort
PER_AUTHORITY = (10, 25, 50)  # capacities as numbers in each authority and as-of date


@dataclass
class Judged:
    """Scores and outcomes of one test period.

    Attributes
    ----------
    score : float array
        Higher is riskier; ties are counted by their expected value.
    label : float array of 0 and 1
    pupil : int array
        The number of each row's pupil, from 0.
    list_of : int array
        The number of each row's list: one authority on one as-of date.
    """

    score: np.ndarray
    label: np.ndarray
    pupil: np.ndarray
    list_of: np.ndarray


def average_precision(score: np.ndarray, label: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Return the weighted average precision, ties taken together (as in scikit-learn).

    Examples
    --------
    >>> round(average_precision(np.array([3.0, 2.0, 1.0]), np.array([1.0, 0.0, 1.0])), 4)
    0.8333
    """
    weight = np.ones_like(label) if weight is None else weight
    order = np.argsort(-score, kind="stable")
    s, y, w = score[order], label[order], weight[order]
    last = np.r_[s[1:] != s[:-1], True]
    found, seen = np.cumsum(w * y)[last], np.cumsum(w)[last]
    total = found[-1] if len(found) else 0.0
    if total == 0:
        return float("nan")
    precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
    return float((np.diff(np.r_[0.0, found]) * precision).sum() / total)


def found_within(score: np.ndarray, label: np.ndarray, k: float) -> float:
    """Return the expected number of positives among the k highest, with ties broken at random.

    Examples
    --------
    >>> found_within(np.array([2.0, 1.0, 1.0]), np.array([1.0, 1.0, 0.0]), 2)
    1.5
    """
    k = min(float(k), float(len(score)))
    if k <= 0:
        return 0.0
    threshold = np.partition(score, len(score) - int(np.ceil(k)))[len(score) - int(np.ceil(k))]
    above, level = score > threshold, score == threshold
    room = k - above.sum()
    return float(label[above].sum() + label[level].mean() * room)


def at_capacity(judged: Judged) -> dict[str, dict[str, float]]:
    """Return precision, recall, lift and number needed to see at each capacity."""
    base, total = judged.label.mean(), judged.label.sum()
    result = {}
    for share in SHARES:
        k = share * len(judged.label)
        result[f"top_{share:.1%}"] = _at(found_within(judged.score, judged.label, k), k, total, base)
    lists = [np.flatnonzero(judged.list_of == n) for n in np.unique(judged.list_of)]
    for n in PER_AUTHORITY:
        found = sum(found_within(judged.score[i], judged.label[i], n) for i in lists)
        result[f"top_{n}_a_list"] = _at(found, sum(min(n, len(i)) for i in lists), total, base)
    return result


def _at(found: float, listed: float, total: float, base: float) -> dict[str, float]:
    precision = found / listed if listed else 0.0
    return {
        "precision": precision, "recall": found / total if total else 0.0, "lift": precision / base if base else 0.0,
        "number_needed": 1 / precision if precision else float("inf"), "listed": float(listed),
    }  # fmt: skip


def intervals(judged: Judged, seed: int, times: int = 200) -> dict[str, list[float]]:
    """Return 95% intervals over resampled pupils of average precision and of precision and recall at capacity.

    A pupil's snapshots are drawn together, since they resemble each other.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    n = int(judged.pupil.max()) + 1
    cuts = {f"top_{s:.1%}": np.argsort(-judged.score, kind="stable")[: round(s * len(judged.score))] for s in SHARES}
    drawn: dict[str, list[float]] = {}
    for _ in range(times):
        weight = np.bincount(rng.integers(0, n, n), minlength=n)[judged.pupil].astype(float)
        drawn.setdefault("average_precision", []).append(average_precision(judged.score, judged.label, weight))
        total = (weight * judged.label).sum()
        for name, cut in cuts.items():
            found = (weight[cut] * judged.label[cut]).sum()
            drawn.setdefault(f"{name}.precision", []).append(found / max(weight[cut].sum(), 1))
            drawn.setdefault(f"{name}.recall", []).append(found / total if total else np.nan)
    return {name: [float(np.nanpercentile(v, 2.5)), float(np.nanpercentile(v, 97.5))] for name, v in drawn.items()}


def judge(judged: Judged, risk: np.ndarray | None, seed: int) -> dict[str, object]:
    """Return every figure of a candidate on a test period, as a nested dictionary of numbers."""
    from sklearn.metrics import roc_auc_score

    from training.calibration import fit

    result: dict[str, object] = {
        "average_precision": average_precision(judged.score, judged.label),
        "auc": float(roc_auc_score(judged.label, judged.score)),
        "base_rate": float(judged.label.mean()),
        "positives": int(judged.label.sum()),
        "snapshots": len(judged.label),
        "at_capacity": at_capacity(judged),
        "intervals": intervals(judged, seed),
    }
    if risk is not None:
        logit = np.log(risk / (1 - risk))
        slope, intercept = fit(logit, judged.label)
        result |= {
            "brier": float(((risk - judged.label) ** 2).mean()),
            "calibration_slope": slope,
            "calibration_intercept": intercept,
        }
    return result
