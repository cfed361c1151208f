"""From posted rows to features for 1, 10, 100 and 1,000 children of `onroll simulate`, with all tables."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.rounds import report, rounds, show
from features import matrix
from features.matrix import tallied
from features.posted import open_rows
from histories.population.simulation import simulate
from histories.reading.histories import Histories
from histories.tables import TABLES

DAY = date(2025, 4, 28)
MANY = (1, 10, 100, 1000)


def posted(folder: Path) -> dict[int, dict[str, list[dict[str, Any]]]]:
    """Return the rows of the first 1, 10, 100 and 1,000 children in the cohort, with dates as text."""
    ids = matrix(Histories.open(folder), [DAY])["pupil_id"].to_pylist()[: max(MANY)]
    requests: dict[int, dict[str, list[dict[str, Any]]]] = defaultdict(dict)
    for file in folder.glob("*.parquet"):
        if file.stem in TABLES:
            frame = pl.read_parquet(file).with_columns(pl.col(pl.Date).cast(pl.String))
            for n in MANY:
                rows = frame.filter(pl.col("pupil_id").is_in(ids[:n])) if "pupil_id" in frame.columns else frame
                requests[n][file.stem] = rows.to_dicts()
    for n in MANY:
        schools, areas = {r["urn"] for r in requests[n]["enrolments"]}, {r["lsoa"] for r in requests[n]["addresses"]}
        requests[n]["schools"] = [r for r in requests[n]["schools"] if r["urn"] in schools]
        requests[n]["areas"] = [r for r in requests[n]["areas"] if r["lsoa"] in areas]
    return requests


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as scratch:
        simulate(Path(scratch) / "h", pupils=2000, years=3, seed=4)
        rows = posted(Path(scratch) / "h")
    works = {f"{n} children, {sum(map(len, rows[n].values())):,} rows": n for n in MANY}
    timed = rounds({name: lambda n=n: tallied(open_rows(rows[n]), [DAY]) for name, n in works.items()}, 15)
    show(report("Posted rows to features, as in a request", timed, next(iter(works))))


if __name__ == "__main__":
    main()
