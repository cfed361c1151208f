"""What moves scores: how much each feature contributes on average, up or down, in log-odds."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.rolling import matrix_of
from training.training import NAMES, Trained

MOST = 2000  # snapshots of the newest judged day that are looked at; more make the means no different


def contributions(trained: Trained, seed: int) -> dict[str, float]:
    """Return the mean absolute contribution of each feature (Lundberg and others 2020, TreeSHAP as LightGBM computes it).

    Features of the role ``never_shown`` are among them: they move scores too.
    """
    import lightgbm as lgb

    frame = trained.answers.frame
    rows = np.flatnonzero((frame["as_of"] == trained.splits.test[-1]).to_numpy())
    rng = np.random.Generator(np.random.PCG64(seed))
    chosen = np.sort(rng.choice(rows, min(len(rows), MOST), replace=False))
    parts: Any = lgb.Booster(model_str=trained.booster).predict(matrix_of(frame[chosen], NAMES), pred_contrib=True)
    return dict(zip(NAMES, (float(v) for v in np.abs(parts[:, :-1]).mean(axis=0)), strict=True))
