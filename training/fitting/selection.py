"""Choose a candidate by its mean regret over time: how far it fell behind the best candidate of each origin."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.fitting.rolling_origin import Predictions
from training.measures.metrics import average_precision


def choose(predictions: Predictions, among: list[str]) -> tuple[str, dict[str, Any]]:
    """Return the candidate with the smallest mean regret in average precision over all origins.

    Parameters
    ----------
    among : list of str
        Candidates that can be released; ties go to the last.

    Returns
    -------
    name, story : str, dict
        ``story`` holds average precision by origin and candidate, regrets, and the loss against the best if the same rule had been applied
        at each origin to earlier origins only ("distance from the best next time").
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
    regret = table.max(axis=0) - table
    mean = regret.mean(axis=1)
    chosen = max(i for i in range(len(among)) if mean[i] <= mean.min() + 1e-12)
    lost = [float(regret[int(np.argmin(regret[:, :n].mean(axis=1))), n]) for n in origins if n > 0]
    story = {
        "average_precision_by_origin": {name: [float(v) for v in values] for name, values in by_origin.items()},
        "mean_regret": dict(zip(among, (float(m) for m in mean), strict=True)),
        "lost_by_the_rule_next_time": lost,
    }
    return among[chosen], story
