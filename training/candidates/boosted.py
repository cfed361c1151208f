"""LightGBM with monotone directions from the catalogue."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.catalogue import BY_NAME

DEFAULTS: dict[str, Any] = {
    "rounds": 400, "learning_rate": 0.015, "num_leaves": 7, "max_depth": 6, "min_data_in_leaf": 40, "feature_fraction": 0.3,
    "lambda_l2": 10.0, "negative_share": 0.3, "monotone": True,
}  # fmt: skip


def train(x: np.ndarray, y: np.ndarray, names: list[str], settings: dict[str, Any], seed: int) -> Any:
    """Train a booster; the same data, settings and seed give the same text.

    Parameters
    ----------
    x : float64 array, shape (rows, features)
    y : float array of 0 and 1
    names : list of str
        Names of the columns.

    Returns
    -------
    lightgbm.Booster
    """
    import lightgbm as lgb

    directions = [BY_NAME[n].direction if settings["monotone"] else 0 for n in names]
    data = lgb.Dataset(x, y, feature_name=names, free_raw_data=True, params={"verbose": -1})
    parameters = {
        "objective": "binary", "learning_rate": settings["learning_rate"], "num_leaves": settings["num_leaves"],
        "max_depth": settings["max_depth"], "min_data_in_leaf": settings["min_data_in_leaf"], "min_sum_hessian_in_leaf": 1e-3,
        "feature_fraction": settings["feature_fraction"], "lambda_l2": settings["lambda_l2"], "bagging_freq": 1,
        "pos_bagging_fraction": 1.0, "neg_bagging_fraction": settings["negative_share"], "monotone_constraints": directions,
        "deterministic": True, "force_row_wise": True, "seed": seed, "num_threads": 2, "verbose": -1,
    }  # fmt: skip
    return lgb.train(parameters, data, settings["rounds"])
