"""Features of marks at the scale of England: a year of marks in three sizes, 4 GiB of memory, two threads.

`python -m benchmarks.england [MILLIONS]` writes files with a quarter, half and all of so many million marks (default 1,000; England has
about 3,200 a year) to a temporary folder, and counts each size in a separate process.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.features import MEMORY, features_of_marks, plain_scan
from benchmarks.marks_file import pupil_ids, write_marks
from benchmarks.rounds import Timed, report, rounds, show
from histories.calendar import school_days
from histories.reading.histories import Histories

FIRST, LAST = date(2024, 9, 1), date(2025, 7, 31)
DAY = date(2025, 7, 14)
SHARES = (0.25, 0.5, 1.0)


def write(folder: Path, pupils: int) -> int:
    """Write minimal histories with a year of marks; return the number of marks."""
    folder.mkdir()
    ids = pa.array(pupil_ids(0, pupils))
    born = pa.array([date(2014, 5, 1)] * pupils)
    pq.write_table(pa.table({"pupil_id": ids, "date_of_birth": born}), folder / "pupils.parquet")
    roll = {"pupil_id": ids, "urn": pa.array(["1"] * pupils), "entry_date": pa.array([date(2018, 9, 4)] * pupils)}
    pq.write_table(pa.table(roll), folder / "enrolments.parquet")
    return write_marks(folder / "attendance.parquet", pupils, FIRST, LAST)


def measured(folder: Path, repeats: int) -> tuple[dict[str, Timed], float]:
    """Time the scan and the features of one size; also return the peak memory in GiB."""
    histories = Histories.open(folder, memory=MEMORY, threads=2)
    works = {
        "plain scan": lambda: plain_scan(histories, folder),
        "features of marks": lambda: features_of_marks(histories, [DAY]),
    }
    return rounds(works, repeats), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Print the figures."""
    numbers = [int(a) for a in sys.argv[1:] if a.isdigit()] or [1000]
    sessions = 2 * len(school_days(FIRST, LAST))
    timed: dict[str, Timed] = {}
    sizes: dict[str, Any] = {}
    for share in SHARES:
        with tempfile.TemporaryDirectory() as scratch:
            marks = write(Path(scratch) / "h", int(numbers[0] * 1_000_000 * share / sessions))
            with multiprocessing.get_context("spawn").Pool(1) as alone:
                timings, memory = alone.apply(measured, (Path(scratch) / "h", 5))
        timed |= {f"{name}, {marks / 1e6:,.0f} million": t for name, t in timings.items()}
        features = timings["features of marks"]
        within = statistics.median(a / b for a, b in zip(features.clock, timings["plain scan"].clock, strict=True))
        sizes[f"{marks:,} marks"] = {
            "nanoseconds per mark": round(features.median / marks * 1e9, 1),
            "of processor": round(statistics.median(features.processor) / marks * 1e9, 1),
            "times the scan of its size": round(within, 2),
            "peak GiB": round(memory, 2),
        }
    show(report("A year of marks in three sizes", timed, next(iter(timed)), **sizes))


if __name__ == "__main__":
    main()
