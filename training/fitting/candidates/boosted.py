"""LightGBM, with or without the catalogue's monotone directions."""

from __future__ import annotations

from threading import Lock
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
# From this many rows, one booster uses all processors. With fewer rows thread synchronisation costs more than it gains (on a busy machine
# two threads used four times the CPU time of one), so each booster has one thread and several run in parallel (``training.fitting.parallel``).
ALL_PROCESSORS = 250_000
_BINNING = Lock()  # of boosters side by side, the first makes the data set


def train(learning: Learning, settings: dict[str, Any]) -> Any:
    """Train a booster; the same data, settings and seed give the same text.

    Returns
    -------
    lightgbm.Booster
    """
    import lightgbm as lgb

    told = parameters(learning.names, settings, learning.seed, len(learning.y))
    return lgb.train(told, binned(learning, told), settings["rounds"])


def binned(learning: Learning, told: dict[str, Any]) -> Any:
    """Return LightGBM's data set of the rows; boosters that differ in what it does not hold, such as their directions, share it.

    Parameters
    ----------
    told : dict
        The result of ``parameters``.

    Returns
    -------
    lightgbm.Dataset
    """
    import lightgbm as lgb

    least = told["min_data_in_leaf"]  # features that cannot be split are left out by it
    with _BINNING:
        if least not in learning.binned:
            learning.binned.clear()
            weight = None if np.all(learning.weight == 1) else learning.weight
            # With bundles a tree learns from a copy of its sampled rows, every feature of it: twice the time for the same trees.
            made_how = {**told, "enable_bundle": False}
            data = lgb.Dataset(learning.x, learning.y, weight=weight, feature_name=learning.names, params=made_how)
            learning.binned[least] = data.construct()
        return learning.binned[least]


def parameters(names: list[str], settings: dict[str, Any], seed: int, rows: int) -> dict[str, Any]:
    """Return LightGBM's parameters, except the number of rounds."""
    directions = [
        catalogue().by_name[n].direction if settings["monotone"] and n in catalogue().by_name else 0 for n in names
    ]
    # Column-wise histograms: a tree reads only its sampled features, which is four times as fast here as row-wise.
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
    """Return LightGBM's number of threads for so many rows (0: all processors). It does not change the model."""
    return 0 if rows >= ALL_PROCESSORS else 1


def margins(booster: Any, x: np.ndarray) -> np.ndarray:
    """Return the margins of rows, shape (rows,)."""
    return np.asarray(booster.predict(x, raw_score=True, num_threads=threads(len(x))))


def learner(settings: dict[str, Any]) -> Any:
    """Return the ``learn`` function of a booster with the given settings."""

    def learn(learning: Learning) -> Scorer:
        booster = train(learning, settings)
        return lambda x: margins(booster, x)

    return learn
