"""How soon the rolls of one school that stop are told from a quiet school, how often a school that goes on is taken for one that stopped, and what labels that costs.

``python -m benchmarks.stopped_rolls [--seeds 1,2,3] [--pupils 3000] [--years 8]``. Each seed is a simulated authority, looked at every fourth week from its third
year on, as known then (``features.outcome.known_until``). Once a year the rolls of a school with 30 children or more stop on a Monday drawn at random, and are followed for a year.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import click
import numpy as np
import polars as pl

from benchmarks.faults import MIN_CHILDREN
from features.outcome.cohort import cohort
from features.outcome.definition import Definition
from features.outcome.known_until import KnownUntil
from features.outcome.label import label
from histories.calendar import HORIZON, day_number
from histories.population.simulation import LAST_DAY, simulate
from histories.reading.histories import Histories

STEP, FOLLOWED = timedelta(weeks=4), 13
DEFINITION = Definition.load()
MATURED = timedelta(days=HORIZON + DEFINITION.known_after_days)
Tables = dict[str, pl.DataFrame]


def rolls_of(folder: Path, *, seed: int, pupils: int, years: int) -> Tables:
    """Simulate an authority and return its rolls, with a mark of the last day."""
    simulate(folder / "h", pupils=pupils, years=years, seed=seed)
    opened = Histories.open(folder / "h", engine="polars")
    return {t: opened.native(t).collect() for t in ("pupils", "enrolments", "schools", "suspensions")}


def opened(tables: Tables) -> Histories:
    """Open the tables."""
    return Histories({name: t.lazy() for name, t in tables.items()}, [], "polars")


def stopped(tables: Tables, urn: str, day: date) -> Histories:
    """Return the histories without what a school recorded from a day on."""
    spells, start = tables["enrolments"], day_number(day)
    here = pl.col("urn") == urn
    kept = spells.filter(~here | (pl.col("recorded_on") < start))
    late = here & (pl.col("leaving_recorded_on") >= start)
    ends = ("leaving_date", "leaving_ground", "destination", "destination_urn", "leaving_recorded_on")
    changed = kept.with_columns(pl.when(late).then(None).otherwise(pl.col(c)).alias(c) for c in ends)
    return opened({**tables, "enrolments": changed})


def weeks_until_told(tables: Tables, looks: list[date], rng: np.random.Generator) -> Iterator[float | None]:
    """Yield the weeks until a stopped school was told, once a year; None if it was not within a year."""
    whole = opened(tables)
    for n in range(0, len(looks) - FOLLOWED, 13):
        day = looks[n + int(rng.integers(min(13, len(looks) - FOLLOWED - n)))]
        sizes = pl.DataFrame(cohort(whole, [day])).group_by("urn").len().filter(pl.col("len") >= MIN_CHILDREN)
        urn = sizes.sort("urn")["urn"][int(rng.integers(len(sizes)))]
        broken = stopped(tables, urn, day)
        told = (k for k in range(1, FOLLOWED + 1) if urn in KnownUntil.read(broken, day + k * STEP).schools)
        yield next((4.0 * k for k in told), None)


@click.command()
@click.option("--seeds", default="1,2,3", show_default=True)
@click.option("--pupils", default=3000, show_default=True)
@click.option("--years", default=8, show_default=True)
def main(seeds: str, pupils: int, years: int) -> None:
    """Print the figures."""
    weeks: list[float | None] = []
    wrong = schools = lost = labels = behind = times = 0
    for seed in map(int, seeds.split(",")):
        rng = np.random.Generator(np.random.PCG64(seed))
        with tempfile.TemporaryDirectory() as folder:
            tables = rolls_of(Path(folder), seed=seed, pupils=pupils, years=years)
        last = LAST_DAY - timedelta(days=LAST_DAY.weekday())
        looks = [last - n * STEP for n in range((years - 2) * 13)][::-1]
        whole = opened(tables)
        for day in looks:
            known, newest = KnownUntil.read(whole, day), day - MATURED - timedelta(days=1)
            wrong += len(known.schools)
            schools += len(tables["schools"])
            behind += (day - known.rolls["801"]).days - 1
            times += 1
            frame = pl.DataFrame(label(whole, [newest - timedelta(days=13)], DEFINITION, HORIZON, until=day))
            labels += len(frame)
            lost += int((frame["outcome"] == "not_known").sum())
        weeks += weeks_until_told(tables, looks, rng)
    told = sorted(w for w in weeks if w is not None)
    print(f"a school that goes on is taken for one that stopped at {wrong / schools:.2%} of {schools:,} looks")
    print(f"the newest record of the authority's rolls is {behind / times:.1f} days old")
    print(f"labels of the day that is known for two weeks and are lost: {lost / labels:.2%} of {labels:,}")
    shown = f"median {told[len(weeks) // 2] if len(told) > len(weeks) // 2 else 'not within a year'} weeks"
    print(f"{len(weeks)} schools stopped: told within a year {len(told) / len(weeks):.0%}, {shown}, after {told} weeks")


if __name__ == "__main__":
    main()
