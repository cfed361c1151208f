"""A small model of random numbers, trained once for all tests of explanations."""

import functools

import numpy as np


def numbers(rows, columns, seed=0):
    """Return rows with missing values, zeros, whole numbers and values that LightGBM takes for zero."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, columns))
    x[:, columns // 2 :] = np.round(x[:, columns // 2 :] * 2)
    x[rng.random(x.shape) < 0.15] = np.nan
    x[rng.random(x.shape) < 0.05] = 0.0
    x[rng.random(x.shape) < 0.01] = 1e-36
    return x


@functools.cache
def grown(columns=6, trees=30, clean=False, **parameters):
    """Return a LightGBM booster trained on random numbers."""
    import lightgbm

    x = numbers(3000, columns)
    if clean:
        x = np.nan_to_num(x)
    filled = np.nan_to_num(x)
    odds = filled[:, 0] + filled[:, 1] * filled[:, -1] - 0.5 * filled[:, columns // 2]
    y = np.random.default_rng(1).random(len(x)) < 1 / (1 + np.exp(-odds))
    names = [f"f{i}" for i in range(columns)]
    settings = {
        "objective": "binary",
        "verbose": -1,
        "num_threads": 1,
        "seed": 3,
        "num_leaves": 31,
        **parameters,
    }
    return lightgbm.train(settings, lightgbm.Dataset(x, y.astype(float), feature_name=names), trees)
