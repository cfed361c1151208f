"""A small model over made-up numbers, grown once for all the tests of explanations."""

import functools
from datetime import date

import numpy as np
import pyarrow as pa

from training.bundle import Band, Calibrator, Declaration, Manifest

FEATURES = ["absence_28d", "absence_prev_28d", "moves_365d", "year_group", "marks_late", "secret"]
DECLARED = [
    Declaration(
        "absence_28d",
        "attendance",
        "Missed {absence_28d:.0%} of sessions[, up from {absence_prev_28d:.0%}]",
        "Missed only {absence_28d:.0%} of sessions",
        missing="no marks in the last 28 days",
    ),
    Declaration("absence_prev_28d", "attendance", "Missed {absence_prev_28d:.0%} before", "Attended before"),
    Declaration("moves_365d", "moves", "Moved {moves_365d:.0f} times", "Has not moved"),
    Declaration(
        "year_group", "pupil", "In Year {year_group:.0f}", "In Year {year_group:.0f}", role="context"
    ),
    Declaration("marks_late", "data", "Marks come late", "Marks come in time", role="context"),
    Declaration("secret", "moves", "Secret", "Secret", role="never_shown"),
]


def numbers(rows, columns, seed=0):
    """Give rows with missing values, zeros, whole numbers and values below the nearest float to zero."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, columns))
    x[:, columns // 2 :] = np.round(x[:, columns // 2 :] * 2)
    x[rng.random(x.shape) < 0.15] = np.nan
    x[rng.random(x.shape) < 0.05] = 0.0
    x[rng.random(x.shape) < 0.01] = 1e-36
    return x


@functools.cache
def grown(columns=6, trees=30, clean=False, **parameters):
    """Give a LightGBM model of random numbers, as its booster."""
    import lightgbm

    x = numbers(3000, columns)
    if clean:
        x = np.nan_to_num(x)
    filled = np.nan_to_num(x)
    odds = filled[:, 0] + filled[:, 1] * filled[:, -1] - 0.5 * filled[:, columns // 2]
    y = np.random.default_rng(1).random(len(x)) < 1 / (1 + np.exp(-odds))
    names = FEATURES if columns == len(FEATURES) else [f"f{i}" for i in range(columns)]
    settings = {
        "objective": "binary",
        "verbose": -1,
        "num_threads": 1,
        "seed": 3,
        "num_leaves": 31,
        **parameters,
    }
    return lightgbm.train(settings, lightgbm.Dataset(x, y.astype(float), feature_name=names), trees)


def manifest(**changes):
    """Give the manifest of the small model."""
    values = {
        "name": "onroll",
        "version": 3,
        "trained_on": "2025-09-01",
        "until": "2025-09-01",
        "definition": "commissioner_or_unknown",
        "horizon_days": 120,
        "features": list(FEATURES),
        "catalogue": list(DECLARED),
        "catalogue_digest": "c0ffee",
        "calibrator": Calibrator(0.9, -1.0, [[0.8, -1.1], [0.9, -1.0], [1.0, -0.8]]),
        "bands": [Band("high", 0.3), Band("low", 0.0), Band("medium", 0.1)],
        "base_rate": 0.2,
        "themes": {
            "attendance": "Attendance",
            "moves": "Moves",
            "pupil": "About the pupil",
            "data": "Data",
        },
        "seed": 3,
        "code_version": "0.1.0",
        "data_digest": "beef",
        "seen": {
            "absence_28d": [-2.0, 2.0, 0.1],
            "moves_365d": [-8.0, 8.0, 0.0],
            "secret": [None, None, 1.0],
        },
        **changes,
    }
    return Manifest(**values)


def tables(x, as_of=date(2025, 9, 8), authorities=("301", "302")):
    """Give rows of the small model's features as a matrix and its context."""
    ids = [f"P{i:04}" for i in range(len(x))]
    matrix = {"pupil_id": ids, "as_of": pa.array([as_of] * len(x), pa.date32())}
    matrix |= {name: x[:, i] for i, name in enumerate(FEATURES)}
    where = {
        "authority": [authorities[i % len(authorities)] for i in range(len(x))],
        "urn": [100000 + i % 3 for i in range(len(x))],
        "nc_year": [str(i % 11) for i in range(len(x))],
    }
    return pa.table(matrix), pa.table({"pupil_id": ids, "as_of": matrix["as_of"], **where})
