"""Explanations compared with LightGBM's `pred_contrib` in one run: 400 trees, 31 leaves, 100 features.

`python -m benchmarks.explaining [ROWS]` (default 20,000; a fifth of them for trees without a depth limit, for which LightGBM is slow).
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np

from benchmarks.ratios import note
from training.explanation.leaf_tables import LeafTables
from training.explanation.trees import read_forest

FEATURES, TREES, REPEATS = 100, 400, 3


def seconds(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Return the median time of a task."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def grown(rows: np.ndarray, depth: int) -> lightgbm.Booster:
    """Train a model on random numbers."""
    filled = np.nan_to_num(rows)
    odds = 0.3 * filled[:, :20].sum(axis=1) + filled[:, 0] * filled[:, 60] - 2
    y = np.random.default_rng(1).random(len(rows)) < 1 / (1 + np.exp(-odds))
    settings = {"objective": "binary", "num_leaves": 31, "max_depth": depth, "learning_rate": 0.05}
    return lightgbm.train({**settings, "verbose": -1, "seed": 1}, lightgbm.Dataset(rows, y * 1.0), TREES)


def measure(rows: np.ndarray, depth: int) -> None:
    """Print the ratios for one depth limit (-1: none)."""
    booster = grown(rows, depth)
    text = booster.model_to_string()
    LeafTables(read_forest(text)).contributions(rows[:1])  # compiles
    built = seconds(lambda: LeafTables(read_forest(text)))
    tables = LeafTables(read_forest(text))
    few = rows if depth > 0 else rows[: len(rows) // 5]
    ours = seconds(lambda: tables.contributions(few))
    theirs = seconds(lambda: booster.predict(few, pred_contrib=True))
    one = seconds(lambda: tables.contributions(rows[:1]), 301)
    one_theirs = seconds(lambda: booster.predict(rows[:1], pred_contrib=True), 101)
    apart = np.abs(tables.contributions(rows[:500]) - booster.predict(rows[:500], pred_contrib=True)).max()
    print(f"depth {depth}, {len(few)} rows: {ours:.2f} s beside {theirs:.2f} s, ratio {ours / theirs:.3f}")
    note(f"contributions, {'depth 6' if depth > 0 else 'no depth limit'}", ours / theirs, "LightGBM's pred_contrib")
    print(f"  one row {one * 1e3:.2f} ms beside {one_theirs * 1e3:.2f} ms, ratio {one / one_theirs:.3f}")
    print(f"  loading {built:.2f} s, largest difference {apart:.1e}")


def main() -> None:
    """Measure both models."""
    rng = np.random.default_rng(0)
    numbers = [int(a) for a in sys.argv[1:] if a.isdigit()] or [20_000]
    rows = rng.normal(size=(numbers[0], FEATURES))
    rows[:, 50:] = np.round(rows[:, 50:])
    rows[rng.random(rows.shape) < 0.1] = np.nan
    for depth in (6, -1):
        measure(rows, depth)


if __name__ == "__main__":
    main()
