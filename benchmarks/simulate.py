"""Marks per second of `onroll simulate`, the median of three runs; the floor is writing as many random rows with pyarrow."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.ratios import note
from histories.population.attendance import SCHEMA
from histories.population.simulation import simulate

PUPILS, YEARS, REPEATS = 20_000, 3, 3
MARKS = 6_000_000  # a second, promised


def floor(file: Path, rows: int) -> float:
    """Time writing random rows of the same layout."""
    rng = np.random.default_rng(1)
    at = 1_000_000
    columns = [
        pa.DictionaryArray.from_arrays(
            pa.array(np.sort(rng.integers(0, 3000, at)).astype(np.int32)), pa.array([f"P{i}" for i in range(3000)])
        ),
        pa.array(rng.integers(19000, 20000, at).astype(np.int32)).cast(pa.date32()),
        pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, 2, at).astype(np.int8)), pa.array(["AM", "PM"])),
        pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, 2, at).astype(np.int8)), pa.array(["/", "\\"])),
        pa.array(rng.integers(19000, 20000, at).astype(np.int32)).cast(pa.date32()),
    ]
    table = pa.Table.from_arrays(columns, schema=SCHEMA)
    start = time.perf_counter()
    with pq.ParquetWriter(file, SCHEMA, store_schema=False, compression="zstd") as parquet:
        for _ in range(max(rows // at, 1)):
            parquet.write_table(table)
    return time.perf_counter() - start


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as scratch:
        simulate(Path(scratch) / "warm", pupils=200, years=1)  # compiles
        times, floors, rows = [], [], 0
        for n in range(REPEATS):
            start = time.perf_counter()
            rows = simulate(Path(scratch) / str(n), pupils=PUPILS, years=YEARS, seed=n)["attendance"]
            times.append(time.perf_counter() - start)
            floors.append(floor(Path(scratch) / "floor.parquet", rows))
        middle = statistics.median(times)
        print(f"{rows:,} marks in {middle:.1f} s: {rows / middle / 1e6:.2f} million per second, including all tables")
        note("simulate", middle / statistics.median(floors), "writing random rows with pyarrow")
        note("simulate, of the promise", middle / rows * MARKS, f"1 s for {MARKS:,} marks", 1)
        print(f"times the floor of writing random rows: {middle / statistics.median(floors):.2f}")


if __name__ == "__main__":
    main()
