"""Figures that separate detection from prediction: of each list, and of outcomes that begin weeks after the as-of date.

A school knows which children have already stopped coming. A model adds value among the others, and for outcomes that leave time to help.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from features.outcome.stopping import ACT_TODAY, HELP_EARLY
from training.measures.evaluate import Judged, Resamples, interval
from training.measures.metrics import average_precision, found_within, share_listed

LEAD_DAYS = (14, 28, 56)  # minimal days from the as-of date to the outcome, for early figures
EARLY_CAPACITIES = (25, 100)  # children on each authority's list "help early" on one day


@dataclass(frozen=True, kw_only=True)
class Onset:
    """When outcomes began, and which children had already stopped coming.

    Attributes
    ----------
    stopping : bool array, shape (rows,)
        Whether the child had already stopped coming on the day (``features.outcome.stopping``).
    days : float array, shape (rows,)
        Days from the as-of date to the outcome; NaN without one.
    """

    stopping: np.ndarray
    days: np.ndarray


def judge_early(judged: Judged, onset: Onset, resamples: Resamples) -> dict[str, Any]:
    """Return the figures of each list, and those of early outcomes among children who had not yet stopped coming.

    Returns
    -------
    dict
        ``lists``: for ``act_today`` and ``help_early``, snapshots, positives, average precision and, at ``top_25``, precision and recall.
        ``early``: for ``at_least_14_days`` and so on ``positives``, ``early_average_precision`` and, at ``top_25`` and ``top_100``,
        ``early_precision`` and ``early_recall`` with intervals over resampled pupils. Children whose outcome began sooner take places on
        the list but do not count as found; average precision leaves them out.
    """
    lists = {
        name: _of_list(judged, rows) for name, rows in ((ACT_TODAY, onset.stopping), (HELP_EARLY, ~onset.stopping))
    }
    places = {n: _places(judged, ~onset.stopping, n) for n in EARLY_CAPACITIES}
    return {
        "lists": lists,
        "early": {f"at_least_{n}_days": _early(judged, onset, n, places, resamples) for n in LEAD_DAYS},
    }


def _of_list(judged: Judged, rows: np.ndarray) -> dict[str, Any]:
    score, label, weight = judged.score[rows], judged.label[rows], judged.weight[rows]
    lists = [np.flatnonzero(judged.list_of[rows] == n) for n in np.unique(judged.list_of[rows])]
    hits = sum(found_within(score[i], label[i], 25, weight[i]).expected for i in lists)
    places, total = sum(min(25.0, float(weight[i].sum())) for i in lists), float(weight @ label)
    return {
        "snapshots": round(float(weight.sum())),
        "positives": int(label.sum()),
        "average_precision": average_precision(score, label, weight) if total else None,
        "top_25": {"precision": hits / places if places else None, "recall": hits / total if total else None},
    }


def _places(judged: Judged, rows: np.ndarray, capacity: int) -> np.ndarray:
    """Return the share of each row among the first of its list, after removing the rows of the other list."""
    share = np.zeros(len(judged.score))
    at = np.flatnonzero(rows)
    if len(at):
        share[at] = share_listed(judged.score[at], judged.list_of[at], capacity, 0, judged.weight[at])
    return share


def _early(
    judged: Judged, onset: Onset, days: int, places: dict[int, np.ndarray], resamples: Resamples
) -> dict[str, Any]:
    early = (judged.label == 1) & (onset.days >= days) & ~onset.stopping
    rows = ~onset.stopping & (early | (judged.label == 0))
    total = float(judged.weight[early].sum())
    figures: dict[str, Any] = {
        "positives": int(early.sum()),
        "early_average_precision": average_precision(judged.score[rows], early[rows].astype(float), judged.weight[rows])
        if total
        else None,
    }
    for capacity, share in places.items():
        seen = judged.weight * share
        hit, listed = seen * early, float(seen.sum())
        cut, among = np.flatnonzero(share), np.flatnonzero(early)
        draws = np.array(
            [
                (times[cut] @ hit[cut], times[cut] @ seen[cut], times[among] @ judged.weight[among])
                for times in resamples.weights
            ]
        ).reshape(-1, 3)
        with np.errstate(invalid="ignore", divide="ignore"):
            precision, recall = draws[:, 0] / draws[:, 1], draws[:, 0] / draws[:, 2]
        figures[f"top_{capacity}"] = {
            "listed": listed,
            "early_precision": float(hit.sum()) / listed if listed else None,
            "early_precision_interval": interval(precision),
            "early_recall": float(hit.sum()) / total if total else None,
            "early_recall_interval": interval(recall),
        }
    return figures
