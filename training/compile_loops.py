"""Compile the loops that numba runs, before anything needs them: the image keeps what this compiles, and the tests begin with it.

``python -m training.compile_loops`` writes where numba keeps what it compiled (``NUMBA_CACHE_DIR``, or beside the source).
"""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import numpy as np

from features import matrix
from histories.population.simulation import simulate
from histories.reading.histories import Histories
from histories.reading.json_lists import taken_out
from training.explanation.leaf_tables import LeafTables
from training.explanation.trees import read_forest
from training.fitting.candidates import Learning, ridge
from training.made_up_child import made_up_features

SHAPES = (
    {"columns": 12, "max_depth": 6},
    {"columns": 30, "num_leaves": 127},
)  # shallow and deep trees take other types


def compile_all() -> None:
    """Run each loop once on little made-up data."""
    with tempfile.TemporaryDirectory() as folder:
        simulate(Path(folder) / "histories", pupils=100, years=1, seed=1, truth=True)
        matrix(Histories.open(Path(folder) / "histories"), [date(2025, 3, 3)])
    for shape in SHAPES:
        columns = shape["columns"]
        x = np.random.default_rng(1).normal(size=(3000, columns))
        tables = LeafTables(read_forest(_forest(x, {k: v for k, v in shape.items() if k != "columns"})))
        for rows in (x[:4], x[:1]):  # numba takes a single row for another type
            tables.contributions(rows)
            tables.margins(rows)
    x = np.random.default_rng(1).normal(size=(300, 4))
    names = [f"feature {number}" for number in range(x.shape[1])]
    ridge.fit(Learning(x=x, y=1.0 * (x[:, 0] > 1), weight=np.ones(len(x)), names=names, seed=1), monotone=False)
    made_up_features()  # few rows, as a request posts them
    taken_out(b'{"histories": {"attendance": []}}', "?")


def _forest(x: np.ndarray, shape: dict[str, int]) -> str:
    """Return a forest trained on random numbers, as LightGBM's text."""
    import lightgbm

    y = (np.random.default_rng(2).random(len(x)) < 1 / (1 + np.exp(-x[:, 0] - x[:, 1] * x[:, -1]))).astype(float)
    settings = {"objective": "binary", "verbose": -1, "num_threads": 1, "seed": 3, **shape}
    return lightgbm.train(settings, lightgbm.Dataset(x, y), 30).model_to_string()


if __name__ == "__main__":
    compile_all()
