"""Whether a model's lists are steady from week to week: the sum of the risks, and the year groups of the first children, on each Monday of a year.

``python -m benchmarks.weeks HISTORIES MODEL [--first 2024-09-02] [--weeks 47] [--places 40]``. MODEL is a folder. Models learn from three days a year; what
holds for a whole year group in a week between them, and is rare on those days, would fill the list of that week.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import click

from histories.reading.histories import Histories
from training.risk_model import RiskModel


@click.command()
@click.argument("histories", type=click.Path(path_type=Path, exists=True))
@click.argument("model", type=click.Path(path_type=Path, exists=True))
@click.option("--first", default="2024-09-02", show_default=True, help="The first Monday.")
@click.option("--weeks", default=47, show_default=True)
@click.option("--places", default=40, show_default=True, help="How many children are first.")
def main(histories: Path, model: Path, first: str, weeks: int, places: int) -> None:
    """Print a line for each Monday."""
    opened, of_model = Histories.open(histories), RiskModel.load(model)
    print("| list | children | sum of risks | most frequent year groups of the first children |\n|---|---|---|---|")
    for n in range(weeks):
        day = date.fromisoformat(first) + timedelta(weeks=n)
        scores = sorted(of_model.score(opened, day), key=lambda s: s.rank)
        years = Counter(s.nc_year for s in scores[:places]).most_common(3)
        groups = ", ".join(f"{count} of year {year}" for year, count in years)
        print(f"| {day} | {len(scores):,} | {sum(s.risk for s in scores):.2f} | {groups} |", flush=True)


if __name__ == "__main__":
    main()
