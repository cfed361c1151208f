"""Features of 100,000 children compared with one plain scan of their marks: three years, three as-of dates, all tables.

The floor is `SELECT pupil_id, count(*), count(*) FILTER (code IN (...)) FROM attendance GROUP BY pupil_id` with the codes of absence,
by DuckDB with the same threads and memory. The number of children is an optional argument.
"""

from __future__ import annotations

import multiprocessing
import re
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import narwhals as nw
import polars as pl

from benchmarks.rounds import Timed, report, rounds, show
from features import matrix
from features.attendance.collector import MarkCollector
from features.attendance.register import NUMBERS, REACH, mark_tallies
from features.catalogue import catalogue
from features.counting.blocks import PUPILS, cut
from histories.calendar import day_number
from histories.codes import ABSENCE_CODES
from histories.io.sql import literal
from histories.population.simulation import simulate
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.reading.marks import read_marks

MEMORY = "4GiB"
GOALS = {"features of marks, including runs": 1.3, "all features": 2.5}
# Features that the child's own marks alone define, without those of its school.
OF_MARKS = [
    f
    for f in catalogue().features
    if f.sources == ("attendance",) and not re.search("school_|newest_entry", repr(f.expression()))
]


def plain_scan(histories: Histories, folder: Path) -> int:
    """Count each child's marks and absences; return the children."""
    codes = ", ".join(f"'{c}'" for c in ABSENCE_CODES)
    marks = f"read_parquet({literal(folder / 'attendance.parquet')})"
    sql = f"SELECT pupil_id, count(*), count(*) FILTER (code IN ({codes})) FROM {marks} GROUP BY pupil_id"
    return histories.connection.sql(sql).to_arrow_table().num_rows


def blocks(histories: Histories, days: list[date]) -> Iterator[tuple[Histories, nw.DataFrame]]:
    """Yield the histories of each block of children, and a snapshot of every child on each day."""
    edges = cut(histories, PUPILS)
    as_of_days = pl.DataFrame({"as_of": [day_number(d) for d in days]}, schema={"as_of": pl.Int32})
    for low, high in zip([None, *edges], [*edges, None], strict=True):
        with histories.between(low, high) as selected:
            pupils = collect(selected.frame("pupils").select("pupil_id").unique()).sort("pupil_id")
            yield selected, nw.from_native(pupils.join(as_of_days, how="cross"))


def reading(histories: Histories, days: list[date]) -> None:
    """Decode the marks, and do nothing with them."""
    for block, _ in blocks(histories, days):
        read_marks(block, looked_at(days), lambda batch: None)


def packing(histories: Histories, days: list[date]) -> None:
    """Decode the marks and put them into registers."""
    for block, snapshots in blocks(histories, days):
        marks = MarkCollector(snapshots["pupil_id"].unique(maintain_order=True), looked_at(days), NUMBERS)
        read_marks(block, looked_at(days), marks.take)
        marks.register()


def counting(histories: Histories, days: list[date]) -> None:
    """Count the marks of every snapshot."""
    for block, snapshots in blocks(histories, days):
        mark_tallies(block, snapshots)


def features_of_marks(histories: Histories, days: list[date]) -> int:
    """Compute every feature of daily marks, including windows and runs, for all children; return the snapshots."""
    rows = 0
    for block, snapshots in blocks(histories, days):
        rows += mark_tallies(block, snapshots).select(*(f.expression().alias(f.name) for f in OF_MARKS)).shape[0]
    return rows


def looked_at(days: list[date]) -> range:
    """Return the day numbers of the marks that count."""
    return range(day_number(min(days)) - REACH, day_number(max(days)))


def newest_days(histories: Histories) -> list[date]:
    """Return a day in the middle of July of each of the last three years, so that every mark counts somewhere."""
    last = histories.last_known()
    year = last.year if last >= date(last.year, 7, 14) else last.year - 1
    return [date(year - n, 7, 14) for n in (2, 1, 0)]


def of_processor(timed: Timed, marks: int) -> float:
    """Return the nanoseconds of processor for each mark."""
    return statistics.median(timed.processor) / marks * 1e9


def main() -> None:
    """Print the figures."""
    numbers = [a for a in sys.argv[1:] if a.isdigit()]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "h"
        # In a process of its own, so that its memory is not counted here.
        making = {"pupils": int(numbers[0]) if numbers else 100_000, "years": 3, "seed": 5}
        process = multiprocessing.get_context("spawn").Process(target=simulate, args=(folder,), kwargs=making)
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(f"simulating the population exited with {process.exitcode}")
        histories = Histories.open(folder, memory=MEMORY, threads=2)
        days = newest_days(histories)
        marks = collect(histories.frame("attendance").select(nw.len().alias("n"))).item()
        stages: dict[str, Callable[[], object]] = {
            "decoding": lambda: reading(histories, days),
            "decoding and packing": lambda: packing(histories, days),
            "decoding, packing and counting": lambda: counting(histories, days),
            "features of marks, including runs": lambda: features_of_marks(histories, days),
        }
        timed = rounds(
            {
                "plain scan": lambda: plain_scan(histories, folder),
                **stages,
                "all features": lambda: matrix(histories, days),
            }
        )
        counts = {"of marks": len(OF_MARKS), "all": len(catalogue().features)}
        memory = f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB at most"
        title = f"{marks:,} marks of {making['pupils']:,} children, as of {', '.join(map(str, days))}"
        nanoseconds = {name: round(of_processor(timed[name], marks), 1) for name in ("plain scan", *stages)}
        more = {"features": counts, "nanoseconds_of_processor_a_mark": nanoseconds}
        show(report(title, timed, "plain scan", memory=memory, **more), GOALS)


if __name__ == "__main__":
    main()
