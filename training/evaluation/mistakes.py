"""Compare children who were missed or wrongly listed with those who were found, in the features' units."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.catalogue import catalogue
from features.groups.disclosure import HIDDEN, partition, rounded
from training.fitting.rolling_origin import Predictions, matrix_of
from training.measures.metrics import numbers, share_listed

MIN = 8  # minimal number of children for a mean
MAX_FEATURES = 12


def profile(predictions: Predictions, name: str, capacity: int) -> dict[str, Any]:
    """Compare the missed (went missing, not listed) and the wrongly listed (listed, did not) with the found.

    Parameters
    ----------
    capacity : int
        Children listed in each authority and on each day.

    Returns
    -------
    dict
        Counts of the three kinds (small ones hidden), and for ``missed`` and ``wrongly_listed`` the features whose means differ most
        from those of the found, in standard deviations of the cohort.
    """
    rows = np.flatnonzero(predictions.judged)
    frame, weight = predictions.frame[rows], predictions.weight[rows]
    lists = numbers(frame, "authority", "as_of")
    on_list = weight * share_listed(predictions.margins[name][rows], lists, capacity, 0, weight)
    went = predictions.label[rows]
    kinds = {"found": went * on_list, "missed": went * (1 - on_list), "wrongly_listed": (1 - went) * on_list}
    x = matrix_of(frame, catalogue().names)
    scale = _deviation(x, weight)
    rows_of = {kind: part > 0 for kind, part in kinds.items()}
    return {
        "children": _counts(kinds),
        "missed": _against(x, rows_of["missed"], rows_of["found"], scale),
        "wrongly_listed": _against(x, rows_of["wrongly_listed"], rows_of["found"], scale),
    }


def _counts(kinds: dict[str, np.ndarray]) -> dict[str, int | str]:
    """Return the printable number of snapshots of each kind; unweighted counts decide what is hidden."""
    hidden = partition({kind: int(np.minimum(part, 1).sum()) for kind, part in kinds.items()})
    return {kind: HIDDEN if kind in hidden else rounded(round(float(part.sum()))) for kind, part in kinds.items()}


def _deviation(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each column over the cohort, ignoring missing values, shape (columns,)."""
    present = ~np.isnan(x)
    of = np.maximum(weight @ present, 1e-12)
    mean = weight @ np.where(present, x, 0.0) / of
    return np.asarray(np.sqrt(weight @ np.where(present, x - mean, 0.0) ** 2 / of))


def _against(x: np.ndarray, group: np.ndarray, reference: np.ndarray, scale: np.ndarray) -> list[dict[str, Any]]:
    differences: list[dict[str, Any]] = []
    for at, name in enumerate(catalogue().names):
        one, other = x[group, at], x[reference, at]
        one, other = one[~np.isnan(one)], other[~np.isnan(other)]
        if min(len(one), len(other)) < MIN or not scale[at] > 0 or catalogue().by_name[name].role == "never_shown":
            continue
        differences.append(
            {
                "feature": name,
                "theme": catalogue().by_name[name].theme,
                "unit": catalogue().by_name[name].unit,
                "mean": float(one.mean()),
                "mean_of_found": float(other.mean()),
                "difference": float((one.mean() - other.mean()) / scale[at]),
            }
        )
    return sorted(differences, key=lambda t: -abs(t["difference"]))[:MAX_FEATURES]
