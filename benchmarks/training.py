"""Training on a matrix compared with ``lightgbm.train`` on the same matrix: time, and each process's peak memory.

``python -m benchmarks.training [SNAPSHOTS] [FEATURES] [ROUNDS] [TREES]`` (default 200,000, 100, 3 and 400). Separate processes run alternately: one only builds the matrix,
one passes it to ``lightgbm.train`` with the settings of onroll's booster, and one passes it as labelled snapshots to
``training.fitting.candidates.boosted.train``, which trains a run's final model. Times are of training, in wall time and
in CPU time (which other load does not lengthen); memory is the peak of the process.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np
import polars as pl

from benchmarks.ratios import note
from features.catalogue import catalogue
from training.fitting.candidates import boosted
from training.fitting.rolling_origin import learn_from


def matrix(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random features, half of them counts and a tenth of values missing, and a rare outcome that depends on some of them."""
    rng = np.random.Generator(np.random.PCG64(1))
    x = np.empty((rows, columns))
    for at in range(columns):
        x[:, at] = rng.poisson(1 + at % 5, rows) if at % 2 else rng.random(rows)
        x[rng.random(rows) < 0.1, at] = np.nan
    risk = 0.001 * np.exp(np.nan_to_num(x[:, 1]) + 2 * np.nan_to_num(x[:, 0]) - 1.5)
    return x, (rng.random(rows) < risk).astype(float)


def names(columns: int) -> list[str]:
    """Return feature names, the catalogue's first, so that directions apply."""
    return ([f.name for f in catalogue().features] + [f"other_{n}" for n in range(columns)])[:columns]


def alone(x: np.ndarray, y: np.ndarray, trees: int) -> None:
    """Train with LightGBM itself."""
    import lightgbm as lgb

    data = lgb.Dataset(x, y, feature_name=names(x.shape[1]), params={"verbose": -1})
    lgb.train(boosted.parameters(names(x.shape[1]), boosted.DEFAULTS, 1, len(y)), data, trees)


def ours(frame: pl.DataFrame, columns: list[str], trees: int) -> None:
    """Train like the final model of a run."""
    boosted.train(learn_from(frame, columns, 1), {**boosted.DEFAULTS, "rounds": trees})


def child(what: str, rows: int, columns: int, trees: int) -> None:
    """Run one task and print its seconds and this process's peak memory in MiB."""
    import lightgbm  # noqa: F401  # the same imports in each

    x, y = matrix(rows, columns)
    frame = pl.DataFrame()
    if what == "onroll":
        frame = pl.DataFrame(x, schema=names(columns)).with_columns(pl.Series("label", y))
        del x
    start, busy = time.perf_counter(), time.process_time()
    if what == "lightgbm":
        alone(x, y, trees)
    elif what == "onroll":
        ours(frame, names(columns), trees)
    seconds, worked = time.perf_counter() - start, time.process_time() - busy
    print(
        json.dumps(
            {"seconds": seconds, "processor": worked, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
        )
    )


def main(rows: int = 200_000, columns: int = 100, rounds: int = 3, trees: int = boosted.DEFAULTS["rounds"]) -> None:
    """Print both, and their ratios."""
    results: dict[str, list[dict[str, Any]]] = {"matrix only": [], "lightgbm": [], "onroll": []}
    for _ in range(rounds):
        for what, runs in results.items():
            command = [sys.executable, "-m", "benchmarks.training", what, str(rows), str(columns), str(trees)]
            runs.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    print(
        f"{rows:,} snapshots x {columns} features ({rows * columns * 8 / 2**20:,.0f} MiB), {trees} trees, {rounds} rounds"
    )
    for what, runs in results.items():
        clock, busy, peak = (statistics.median(r[k] for r in runs) for k in ("seconds", "processor", "peak"))
        print(f"{what:12} {clock:8.1f} s {busy:8.1f} s of the processor {peak:8,.0f} MiB at most")
    pairs = list(zip(results["onroll"], results["lightgbm"], strict=True))
    clock, busy, peak = (statistics.median(a[k] / b[k] for a, b in pairs) for k in ("seconds", "processor", "peak"))
    note("training, processor", busy, "lightgbm.train alone")
    note("training, memory", peak, "lightgbm.train alone")
    print(
        f"time {clock:.2f} times by the clock, {busy:.2f} times of the processor, memory {peak:.2f} times that of lightgbm.train alone"
    )


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].isdigit():
        child(sys.argv[1], *(int(a) for a in sys.argv[2:]))
    else:
        main(*(int(a) for a in sys.argv[1:]))
