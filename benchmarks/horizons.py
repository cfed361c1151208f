"""Do the risks of one model at other horizons come true? The ridge at its own horizon, and how the hazard runs over time, on simulated populations.

``python -m benchmarks.horizons [--only SCENARIO] [--seeds 1,2] [--pupils 20000] [--kept FOLDER]``. Each world is trained and judged as by ``benchmarks.scenarios``,
with the ridge alone, which was released in every one of them. On each test date the model, its calibration and the timing (``training.fitting.timing``) know what
was known before that day; then so many were expected to go missing by each day, and so many did. Beside it stands what an even hazard would
expect. The last column is the 95% range of a Poisson number with the expected mean; children are on several lists, so the true range is wider.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
import polars as pl
from scipy.stats import poisson

from benchmarks.scenarios import SCENARIOS
from benchmarks.worlds import YEARS
from features.catalogue import catalogue
from histories.io.atomic_write import new_file
from histories.population.simulation import simulate
from histories.reading.histories import Histories
from training.fitting.candidates import boosted, grid
from training.fitting.rolling_origin import predict
from training.fitting.splits import split
from training.fitting.timing import Timing, expected_and_came, followed, timing
from training.labeller import Labeller
from training.task import Task


def world(scenario: str, seed: int, pupils: int) -> list[dict[str, Any]]:
    """Return expected and came of a world, by list and days, with the timing and with an even hazard."""
    task = Task()
    with tempfile.TemporaryDirectory() as folder:
        simulate(
            Path(folder) / "h",
            pupils=pupils,
            years=YEARS,
            authorities=SCENARIOS[scenario],
            seed=seed,
            scenario=scenario,
        )
        histories = Histories.open(Path(folder) / "h")
        labeller = Labeller(histories, task)
        frame = task.labelled(histories, labeller.labels(task))
        rows = followed(task, histories, frame, labeller)
    ridge = [c for c in grid(boosted.DEFAULTS) if c.name == "ridge"]
    predictions = predict(frame, catalogue().names, split(frame), ridge, seed)
    found, flat = (expected_and_came(predictions, "ridge", rows, task.horizon, learn) for learn in (timing, even))
    return [{**f, "even": e["expected"]} for f, e in zip(found, flat, strict=True)]


def even(rows: pl.DataFrame, horizon: int, day: date | None = None) -> Timing:
    """Return the shares of a hazard that is the same every day, for the days that ``timing`` knows."""
    return {name: {d: int(d) / horizon for d in shares} for name, shares in timing(rows, horizon, day).items()}


def table(worlds: dict[str, list[list[dict[str, Any]]]]) -> Iterator[str]:
    """Yield a row for each scenario, list and number of days; then of all scenarios together."""
    yield "| scenario | list | within | snapshots | expected | came | usual range | even hazard |"
    yield "|---" * 8 + "|"
    every = {**worlds, "all": [rows for results in worlds.values() for rows in results]}
    for scenario, results in every.items():
        counts: dict[tuple[str, int], Counter[str]] = {}
        for row in (row for rows in results for row in rows):
            numbers = {name: row[name] for name in ("snapshots", "expected", "came", "even")}
            counts.setdefault((row["list"], row["days"]), Counter()).update(numbers)
        for (name, days), of in sorted(counts.items()):
            low, high = poisson.ppf((0.025, 0.975), of["expected"])
            yield (
                f"| `{scenario}` | {name} | {days} days | {of['snapshots']:,.0f} | {of['expected']:.1f} | {of['came']:.0f} | "
                f"{low:.0f} to {high:.0f} | {of['even']:.1f} |"
            )


@click.command()
@click.option("--seeds", default="1,2", show_default=True)
@click.option("--pupils", default=20_000, show_default=True)
@click.option("--only", type=click.Choice(list(SCENARIOS)), multiple=True)
@click.option("--kept", type=click.Path(path_type=Path), default=Path(".onroll/horizons"), show_default=True)
def main(*, seeds: str, pupils: int, only: tuple[str, ...], kept: Path) -> None:
    """Compute missing worlds, and print the table of all."""
    worlds: dict[str, list[list[dict[str, Any]]]] = {s: [] for s in only or SCENARIOS}
    for seed in map(int, seeds.split(",")):
        for scenario, results in worlds.items():
            file = kept / f"{scenario}-{pupils}-{seed}-{catalogue().digest[:8]}.json"
            if not file.is_file():
                rows = world(scenario, seed, pupils)
                with new_file(file) as temporary:
                    temporary.write_text(json.dumps(rows))
                click.echo(f"{scenario}, seed {seed}: done", err=True)
            results.append(json.loads(file.read_text()))
    click.echo("\n".join(table(worlds)))


if __name__ == "__main__":
    main()
