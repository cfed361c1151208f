"""The same counts of marks in windows by other approaches: pandas, Polars, and an SQL query for each day and window.

All give the same numbers (checked first): nine measures in eight windows before each of three as-of dates, from the last recording
known on the day. onroll also counts runs and weeks. The number of children is an optional argument. All read the same Parquet file.

- pandas: a filter for each date, the last recording of each session, then a filter and a `groupby` for each window;
- Polars: one lazy query for each date, with every count of every window in one `group_by`;
- SQL for each window, as in dssg/triage's collate: for each date and window one `SELECT` over the marks known before the date, with all
  aggregates of the window, joined at the end; by DuckDB, with corrections resolved in the `from` clause.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
import polars as pl

from benchmarks.england import write
from benchmarks.marks_file import write_marks
from benchmarks.rounds import report, rounds, show
from features.attendance.register import COUNTS, MEASURES, WINDOWS, mark_tallies
from histories.calendar import day_number
from histories.io.sql import literal
from histories.reading.frames import collect
from histories.reading.histories import Histories

DAYS = [date(2023, 7, 14), date(2024, 7, 14), date(2025, 7, 14)]
KEY = ["pupil_id", "date", "session"]


def begins(day: date) -> dict[str, date]:
    """Return the first day of each window."""
    september = date(day.year if day.month >= 9 else day.year - 1, 9, 1)
    return {**{str(w): day - timedelta(days=w) for w in WINDOWS}, "year": september}


def ours(file: Path) -> pl.DataFrame:
    """Count with onroll, on DuckDB."""
    histories = Histories.open(file.parent, memory="4GiB", threads=2)
    pupils = collect(histories.frame("pupils").select("pupil_id"))
    days = pl.DataFrame({"as_of": [day_number(d) for d in DAYS]}, schema={"as_of": pl.Int32})
    return mark_tallies(histories, nw.from_native(pupils.join(days, how="cross"))).to_native()


def by_pandas(file: Path) -> pd.DataFrame:
    """Count with pandas."""
    marks = pd.read_parquet(file)
    marks["date"], marks["recorded_on"] = pd.to_datetime(marks["date"]), pd.to_datetime(marks["recorded_on"])
    counts_by_day = []
    for day in DAYS:
        start = pd.Timestamp(day)
        visible = marks[(marks["recorded_on"] < start) & (marks["date"] < start)]
        visible = visible.sort_values("recorded_on", kind="stable").drop_duplicates(KEY, keep="last")
        parts = []
        for window, begin in begins(day).items():
            inside = visible[visible["date"] >= pd.Timestamp(begin)]
            flags = pd.DataFrame({f"{m}_{window}": inside["code"].isin(codes) for m, codes in MEASURES.items()})
            parts.append(flags.groupby(inside["pupil_id"]).sum())
        counts_by_day.append(
            pd.concat(parts, axis=1).fillna(0).astype("int64").reset_index().assign(as_of=day_number(day))
        )
    return pd.concat(counts_by_day)


def by_polars(file: Path) -> pl.DataFrame:
    """Count with Polars."""
    marks = pl.scan_parquet(file)
    counts_by_day = []
    for day in DAYS:
        visible = marks.filter(
            (pl.col("recorded_on") < day) & (pl.col("date") < day) & (pl.col("date") >= day - timedelta(days=365))
        )
        last = visible.sort("recorded_on", maintain_order=True).unique(KEY, keep="last")
        flags = last.with_columns(pl.col("code").is_in(list(codes)).alias(m) for m, codes in MEASURES.items())
        counts = [
            pl.col(m).filter(pl.col("date") >= begin).sum().cast(pl.Int64).alias(f"{m}_{window}")
            for window, begin in begins(day).items()
            for m in MEASURES
        ]
        counts_by_day.append(
            flags.group_by("pupil_id").agg(counts).with_columns(as_of=pl.lit(day_number(day), pl.Int32))
        )
    return pl.concat(pl.collect_all(counts_by_day))


def by_window(file: Path) -> pl.DataFrame:
    """Count with a query for each day and window."""
    import duckdb

    selects = []
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2; SET memory_limit = '4GiB'; SET enable_progress_bar = false")
        for day in DAYS:
            for window, begin in begins(day).items():
                counts = ", ".join(
                    f"sum(CASE WHEN code IN ({', '.join(literal(c) for c in codes)}) THEN 1 ELSE 0 END)::BIGINT AS {m}_{window}"
                    for m, codes in MEASURES.items()
                )
                visible = f"""SELECT pupil_id, date, session, arg_max(code, recorded_on) AS code FROM read_parquet({literal(file)})
                    WHERE recorded_on < DATE '{day}' AND date < DATE '{day}' AND date >= DATE '{begin}' GROUP BY ALL"""
                connection.execute(
                    f'CREATE TABLE "w_{day}_{window}" AS SELECT pupil_id, {counts} FROM ({visible}) GROUP BY pupil_id'
                )
            tables = [f'"w_{day}_{w}"' for w in begins(day)]
            joined = " FULL JOIN ".join([tables[0], *(f"{t} USING (pupil_id)" for t in tables[1:])])
            selects.append(f"SELECT *, {day_number(day)}::INTEGER AS as_of FROM {joined}")
        arrow: Any = connection.sql(" UNION ALL ".join(selects)).to_arrow_table()
    return pl.from_arrow(arrow).with_columns(pl.col(COUNTS).fill_null(0))  # type: ignore[union-attr]


def main() -> None:
    """Check that all approaches agree, then print the figures."""
    numbers = [int(a) for a in sys.argv[1:] if a.isdigit()] or [10_000]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "h"
        write(folder, numbers[0])
        file = folder / "attendance.parquet"
        marks = write_marks(file, numbers[0], date(2022, 9, 1), date(2025, 7, 31))
        approaches = {
            "onroll, including runs and weeks": lambda: ours(file),
            "Polars": lambda: by_polars(file),
            "one SQL query per window": lambda: by_window(file),
            "pandas": lambda: pl.from_pandas(by_pandas(file)),
        }
        order = ["pupil_id", "as_of"]
        tables = [
            approach().select(*order, *COUNTS).cast({"as_of": pl.Int32}).sort(order) for approach in approaches.values()
        ]
        if not all(t.equals(tables[0]) for t in tables):
            raise SystemExit("the approaches disagree")
        timed = rounds(approaches)
        show(report(f"{marks:,} marks of {numbers[0]:,} children", timed, "onroll, including runs and weeks"))


if __name__ == "__main__":
    main()
