"""LightGBM, with the monotone directions of the catalogue or without."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.catalogue import catalogue
from training.fitting.candidates.candidate import Learning, Scorer

DEFAULTS: dict[str, Any] = {
    "rounds": 400,
    "learning_rate": 0.015,
    "num_leaves": 7,
    "max_depth": 6,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.3,
    "lambda_l2": 10.0,
    "negative_share": 0.3,
    "monotone": True,
}
# Rows from which one booster takes all processors. With fewer a tree is made faster than threads find each other, and on a busy machine
# two threads took four times the processor of one; so each booster has one, and several are made side by side (``training.fitting.parallel``).
ALL_PROCESSORS = 250_000


def train(learning: Learning, settings: dict[str, Any]) -> Any:
    """Train a booster; the same data, settings and seed give the same text.

    Returns
    -------
    lightgbm.Booster
    """
    import lightgbm as lgb

    weight = None if np.all(learning.weight == 1) else learning.weight
    data = lgb.Dataset(
        learning.x, learning.y, weight=weight, feature_name=learning.names, free_raw_data=True, params={"verbose": -1}
    )
    return lgb.train(parameters(learning.names, settings, learning.seed, len(learning.y)), data, settings["rounds"])


def parameters(names: list[str], settings: dict[str, Any], seed: int, rows: int) -> dict[str, Any]:
    """Return what LightGBM is told, besides the number of rounds."""
    directions = [
        catalogue().by_name[n].direction if settings["monotone"] and n in catalogue().by_name else 0 for n in names
    ]
    # By columns: a tree looks at a part of the features, and reads only those; it is four times as fast here as by rows.
    return {
        "objective": "binary",
        "learning_rate": settings["learning_rate"],
        "num_leaves": settings["num_leaves"],
        "max_depth": settings["max_depth"],
        "min_data_in_leaf": settings["min_data_in_leaf"],
        "min_sum_hessian_in_leaf": 1e-3,
        "feature_fraction": settings["feature_fraction"],
        "lambda_l2": settings["lambda_l2"],
        "bagging_freq": 1,
        "pos_bagging_fraction": 1.0,
        "neg_bagging_fraction": settings["negative_share"],
        "monotone_constraints": directions,
        "deterministic": True,
        "force_col_wise": True,
        "seed": seed,
        "num_threads": threads(rows),
        "verbose": -1,
    }


def threads(rows: int) -> int:
    """Return how many threads LightGBM takes for so many rows; 0 says all. What it learns is the same with any number."""
    return 0 if rows >= ALL_PROCESSORS else 1


def margins(booster: Any, x: np.ndarray) -> np.ndarray:
    """Return the margins of rows, shape (rows,)."""
    return np.asarray(booster.predict(x, raw_score=True, num_threads=threads(len(x))))


def learner(settings: dict[str, Any]) -> Any:
    """Return the function by which a booster with some settings learns as a candidate."""

    def learn(learning: Learning) -> Scorer:
        booster = train(learning, settings)
        return lambda x: margins(booster, x)

    return learn
