"""Who was missed and who was wrongly listed: how they differ from those who were found, in the features' own units."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.catalogue import BY_NAME
from features.disclosure import HIDDEN, partition, rounded
from training.figures import listed, numbers
from training.rolling import Answers, matrix_of
from training.training import NAMES

FEWEST = 8  # children of a kind below whom no mean is told
TOLD = 12


def profile(answers: Answers, name: str, capacity: int) -> dict[str, Any]:
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
    rows = np.flatnonzero(answers.judged)
    frame = answers.frame[rows]
    on_list = listed(
        answers.margins[name][rows], numbers(frame, "authority", "as_of"), capacity, 0, answers.weight[rows]
    )
    went = answers.label[rows] == 1
    kinds = {"found": went & on_list, "missed": went & ~on_list, "wrongly_listed": ~went & on_list}
    x = matrix_of(frame, NAMES)
    with np.errstate(invalid="ignore"):
        scale = np.nanstd(x, axis=0)
    return {
        "children": _counts({kind: int(chosen.sum()) for kind, chosen in kinds.items()}),
        "missed": _against(x, kinds["missed"], kinds["found"], scale),
        "wrongly_listed": _against(x, kinds["wrongly_listed"], kinds["found"], scale),
    }


def _counts(counts: dict[str, int]) -> dict[str, int | str]:
    hidden = partition(counts)
    return {kind: HIDDEN if kind in hidden else rounded(n) for kind, n in counts.items()}


def _against(x: np.ndarray, some: np.ndarray, found: np.ndarray, scale: np.ndarray) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    for at, name in enumerate(NAMES):
        one, other = x[some, at], x[found, at]
        one, other = one[~np.isnan(one)], other[~np.isnan(other)]
        if min(len(one), len(other)) < FEWEST or not scale[at] > 0 or BY_NAME[name].role == "never_shown":
            continue
        told.append({
            "feature": name, "theme": BY_NAME[name].theme, "unit": BY_NAME[name].unit, "mean": float(one.mean()),
            "mean_of_found": float(other.mean()), "difference": float((one.mean() - other.mean()) / scale[at]),
        })  # fmt: skip
    return sorted(told, key=lambda t: -abs(t["difference"]))[:TOLD]
