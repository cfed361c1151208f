"""Importing returns: a School Census of 100,000 pupils, and a long CSV of marks compared with DuckDB copying it to Parquet.

`python -m benchmarks.importing [ROWS]` with the number of marks (default 20 million).
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from benchmarks.ratios import note
from histories.population.simulation import simulate
from histories.returns import FORMATS, import_return
from tests.support.return_files import write_school_census

KEY = b"a key for benchmarks"


def marks(file: Path, rows: int) -> None:
    """Write a CSV with random marks of 100,000 children."""
    days = max(rows // 200_000, 1)
    duckdb.sql(f"""COPY (SELECT 'A80120000' || lpad((c % 10000)::VARCHAR, 4, '0') || (c // 10000) AS upn, DATE '2024-09-02' + d::INT AS "date", s AS session,
        CASE WHEN hash(c, d) % 20 = 0 THEN 'I' WHEN s = 'AM' THEN '/' ELSE '\\' END AS code
        FROM range({days}) a(d), range(100000) b(c), (VALUES ('AM'), ('PM')) h(s)) TO '{file}' (HEADER, DELIMITER ',')""")


def main(rows: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        simulate(home / "h", pupils=100_000, years=1, seed=5)
        censuses = write_school_census(home / "h", home / "census", (2024, 2025))
        start = time.perf_counter()
        import_return(FORMATS["school-census"], [home / "census"], home / "into", KEY)
        print(f"{len(censuses)} censuses of 100,000 pupils, all tables: {time.perf_counter() - start:.1f} s")
        marks(home / "marks.csv", rows)
        start = time.perf_counter()
        duckdb.sql(
            f"COPY (FROM read_csv('{home / 'marks.csv'}', all_varchar = true)) TO '{home / 'floor.parquet'}' (COMPRESSION zstd)"
        )
        floor = time.perf_counter() - start
        start = time.perf_counter()
        written = import_return(FORMATS["marks"], [home / "marks.csv"], home / "marks", KEY).rows["attendance"]
        seconds = time.perf_counter() - start
        print(
            f"{written:,} marks: {written / seconds / 1e6:.2f} million rows per second, {seconds / floor:.2f} times the floor"
        )
        note("import of marks", seconds / floor, "DuckDB copying the file to Parquet")
        print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB, simulating included")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000_000)
