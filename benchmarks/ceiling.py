"""The ceiling: what a model of the same features can tell that is told the true risks; ``benchmarks.scenarios --ceiling`` compares candidates with it.

The *ceiling* is LightGBM with cross-entropy, trained on the true risks of other pupils on earlier days: it has no noise of few outcomes, so
what a candidate lacks against it is for want of outcomes. The features may show more than it finds. Among children not yet stopping, whose risks are
low, that model is too much restrained to be a ceiling: there it is one of smaller trees that are hardly regularised. Nothing in onroll uses a true risk.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from training.fitting.rolling_origin import Predictions, matrix_of
from training.measures.metrics import numbers

FOLDS, ROUNDS = 3, 400
SETTINGS = {
    "objective": "cross_entropy",
    "learning_rate": 0.03,
    "num_leaves": 31,
    "min_data_in_leaf": 40,
    "min_sum_hessian_in_leaf": 1e-3,
    "feature_fraction": 0.3,
    "lambda_l2": 10.0,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbose": -1,
}
# By name: what differs from SETTINGS.
CEILINGS: dict[str, dict[str, float]] = {"ceiling": {}, "ceiling_early": {"num_leaves": 7, "lambda_l2": 0.01}}


def ceilings(frame: pl.DataFrame, predictions: Predictions, names: list[str], seed: int) -> dict[str, np.ndarray]:
    """Return margins of ``CEILINGS`` for the predicted rows of the judged days, each from the true risks of other pupils on earlier days.

    Parameters
    ----------
    frame : polars.DataFrame
        Labelled snapshots with features and ``risk``.
    names : list of str
        The features.
    """
    import lightgbm as lgb

    fold_of = np.random.default_rng(seed).integers(0, FOLDS, frame["pupil_id"].n_unique())[numbers(frame, "pupil_id")]
    fold_by_row = frame.select("pupil_id", "as_of").with_columns(fold=pl.Series(fold_of))
    keys = predictions.frame.select("pupil_id", "as_of")
    ahead_fold = keys.join(fold_by_row, on=["pupil_id", "as_of"], how="left", maintain_order="left")["fold"].to_numpy()
    # Binned once, and the values let go: each fit takes rows of it.
    whole = lgb.Dataset(matrix_of(frame, names), frame["risk"].to_numpy(), params=SETTINGS).construct()
    margins = {name: np.zeros(len(predictions.frame)) for name in CEILINGS}
    days = frame["as_of"].to_numpy()
    for origin in np.unique(predictions.origin[predictions.judged]):
        of_day = np.flatnonzero(predictions.origin == origin)
        ahead, past = predictions.frame[of_day], days < predictions.frame["as_of"].to_numpy()[of_day[0]]
        x = matrix_of(ahead, names)
        for fold in range(FOLDS):
            data = whole.subset(np.flatnonzero(past & (fold_of != fold)))
            rows = ahead_fold[of_day] == fold
            for name, other in CEILINGS.items():
                booster = lgb.train({**SETTINGS, **other, "seed": seed}, data, ROUNDS)
                margins[name][of_day[rows]] = booster.predict(x[rows], raw_score=True, num_threads=1)
    return margins
