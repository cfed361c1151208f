"""Whether a model knows children or only knows about children: figures for pupils it learned from and for others."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.figures import average_precision, listed, numbers
from training.rolling import Answers


def seen_and_unseen(answers: Answers, name: str, capacity: int) -> dict[str, dict[str, Any]]:
    """Return average precision, precision and recall of the lists, for pupils among those learned from and for the rest.

    Parameters
    ----------
    capacity : int
        Children listed in each authority and on each day; the lists are those of everybody together.
    """
    rows = np.flatnonzero(answers.judged)
    margins, label, seen = answers.margins[name][rows], answers.label[rows], answers.seen[rows]
    on_list = listed(margins, numbers(answers.frame[rows], "authority", "as_of"), capacity, 0, answers.weight[rows])
    found = {}
    for title, part in (("seen", seen), ("unseen", ~seen)):
        y, chosen = label[part], on_list[part]
        found[title] = {
            "snapshots": len(y), "positives": int(y.sum()), "base_rate": float(y.mean()) if len(y) else None,
            "average_precision": average_precision(margins[part], y), "listed": int(chosen.sum()),
            "precision": float(y[chosen].mean()) if chosen.any() else None, "recall": float(y[chosen].sum() / y.sum()) if y.sum() else None,
        }  # fmt: skip
    return found
