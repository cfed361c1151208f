"""Figures for pupils inside and outside the training data, to show whether a model only recognises children it has seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.fitting.rolling_origin import Predictions
from training.measures.metrics import average_precision, numbers, share_listed


def seen_and_unseen(predictions: Predictions, name: str, capacity: int) -> dict[str, dict[str, Any]]:
    """Return average precision, precision and recall of the lists, for pupils in the training data and for others.

    Parameters
    ----------
    capacity : int
        Children listed in each authority on each day; both kinds of pupils share the lists.
    """
    rows = np.flatnonzero(predictions.judged)
    margins, label, seen, weight = (
        predictions.margins[name][rows],
        predictions.label[rows],
        predictions.seen[rows],
        predictions.weight[rows],
    )
    on_list = weight * share_listed(
        margins, numbers(predictions.frame[rows], "authority", "as_of"), capacity, 0, weight
    )
    figures = {}
    for title, part in (("seen", seen), ("unseen", ~seen)):
        y, w, chosen = label[part], weight[part], on_list[part]
        positives, hits = float(y.sum()), float(chosen @ y)
        figures[title] = {
            "snapshots": round(float(w.sum())),
            "positives": int(positives),
            "base_rate": float(np.average(y, weights=w)) if len(y) else None,
            "average_precision": average_precision(margins[part], y, w),
            "listed": round(float(chosen.sum())),
            "precision": hits / float(chosen.sum()) if chosen.any() else None,
            "recall": hits / positives if positives else None,
        }
    return figures
