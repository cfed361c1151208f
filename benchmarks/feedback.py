"""Retraining on outcomes that help has changed: three yearly retrainings, with each way of handling it, beside a world in which nobody was helped.

``python -m benchmarks.feedback [--pupils 3000] [--seeds 71] [--crises 10] [--first 60] [--factor 0.5]``. Crises are several times as many as in the
default scenario, so that few children have enough outcomes. A model is trained on two years. In each of the three years
after, the first children of its list of every term are helped a week later, which multiplies their hazards of going missing for 26 weeks
(``histories.population.help``); the world is simulated again with that help, and the model of the next year is trained on what is recorded before
September, outcomes handled in one way (``training.fitting.helped``). Each way has a history of its own from the second retraining on. The model is the
ridge regression, whose margins are log-odds; the calibration by origins of ``onroll train`` is left out.

Judged on the lists of the year after each retraining, against the true risks without help: the mean predicted over the mean true risk of the children
whom that list helps next (below 1: understated), average precision with the true risks as labels, and the calibration slope.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import click
import numpy as np
import polars as pl

from features.catalogue import catalogue
from features.matrix import as_table, tallied_blocks
from features.outcome.stopping import stopping_rule
from histories.calendar import as_of_dates
from histories.population.scenario import load_scenario
from histories.population.simulation import simulate
from histories.reading.histories import Histories
from training.fitting.candidates import boosted, ridge
from training.fitting.helped import AS_THEY_CAME, UNTREATED, WAYS, weighted
from training.fitting.rolling_origin import learn_from, matrix_of
from training.measures import calibration
from training.measures.metrics import ordered_precision
from training.task import Task

YEARS, LAST_DAY = 5, date(2025, 8, 15)  # from September 2019
CUTS = (
    date(2021, 9, 1),
    date(2022, 9, 1),
    date(2023, 9, 1),
    date(2024, 9, 1),
)  # the first training, and three retrainings
END = date(2025, 8, 1)
UNHELPED = "nobody helped"
FIGURES = ("predicted / true", "soft AP", "slope")


@dataclass
class World:
    """A simulated world: its histories and its true risks without help."""

    histories: Histories
    truth: pl.DataFrame

    def features(self, days: list[date]) -> pl.DataFrame:
        """Return the cohort of days with features and ``already_stopping``."""
        stopping = stopping_rule().holds().alias("already_stopping")
        blocks = tallied_blocks(self.histories, days)
        return pl.concat([pl.DataFrame(as_table(b)).with_columns(b.select(stopping)) for b in blocks])


@dataclass
class History:
    """What one way has lived through: its world, the features seen so far, the lists so far, and the figures of each retraining."""

    world: World
    seen: pl.DataFrame
    lists: pl.DataFrame
    figures: list[np.ndarray] = field(default_factory=list)


def days_of(year: int) -> list[date]:
    """Return the days of the lists of the year after a training: after the first for 0, after retraining n for n."""
    return as_of_dates(CUTS[year], CUTS[year + 1] if year + 1 < len(CUTS) else END)


def trained(history: History, cut: date, way: str) -> Callable[[pl.DataFrame], np.ndarray]:
    """Train a model on what was recorded before a day; return what gives the margins of snapshots."""
    days = tuple(sorted(d for d in history.seen["as_of"].unique() if d < cut))
    task = Task(as_of=days, until=cut, helped=way)
    labels = task.labels(history.world.histories)
    frame = history.seen.join(labels, on=["pupil_id", "as_of"], how="inner").sort("as_of", "pupil_id")
    frame = frame.with_columns(pl.lit(1.0).alias("weight"))
    frame = weighted(frame, task.horizon) if way == UNTREATED else frame
    names = catalogue().names
    terms = ridge.fit(learn_from(frame, names, 1), boosted.DEFAULTS["monotone"])
    return lambda rows: terms.margins(matrix_of(rows, names))


def listed(rows: pl.DataFrame, margins: np.ndarray) -> pl.DataFrame:
    """Return ``pupil_id, as_of, rank`` of the lists of days."""
    rank = pl.col("margin").rank("ordinal", descending=True).over("as_of").cast(pl.Int64).alias("rank")
    return rows.select("pupil_id", "as_of", pl.Series("margin", margins)).select("pupil_id", "as_of", rank)


def judged(rows: pl.DataFrame, margins: np.ndarray, truth: pl.DataFrame, first: int) -> np.ndarray:
    """Return ``FIGURES`` of the lists of a year; a child who has already left has no risk."""
    both = rows.select("pupil_id", "as_of", pl.Series("margin", margins)).join(
        truth, on=["pupil_id", "as_of"], how="left", maintain_order="left"
    )
    risk, predicted = both["risk"].fill_null(0.0).to_numpy(), 1 / (1 + np.exp(-margins))
    top = listed(rows, margins)["rank"].to_numpy() <= first
    by_day = []
    for day in both["as_of"].unique(maintain_order=True):
        of_day = np.flatnonzero((both["as_of"] == day).to_numpy())
        order = of_day[np.argsort(-margins[of_day], kind="stable")]
        by_day.append(ordered_precision(margins[order], risk[order], np.ones(len(order))))
    slope, _ = calibration.fit(margins, risk)
    return np.array([predicted[top].mean() / risk[top].mean(), np.mean(by_day), slope])


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One population, and what help does in it."""

    seed: int
    pupils: int
    crises: float
    first: int
    factor: float
    folder: Path

    def world(self, lists: pl.DataFrame | None, name: str) -> World:
        """Simulate the population, with help after lists."""
        rate = self.crises * load_scenario()["latent"]["crisis_rate"]
        text = f"title = 'feedback'\n[latent]\ncrisis_rate = {rate:.9f}\n"
        if lists is not None:
            lists.write_parquet(self.folder / f"{name}.parquet")
            text += f"[help]\nfirst = {self.first}\nfactor = {self.factor}\nranking = '{name}.parquet'\n"
        scenario = self.folder / f"{name}.toml"
        scenario.write_text(text)
        place, size = self.folder / name, {"pupils": self.pupils, "years": YEARS, "seed": self.seed}
        simulate(place, scenario=str(scenario), truth=True, truth_since=CUTS[1], last_day=LAST_DAY, **size)  # type: ignore[arg-type]
        return World(Histories.open(place), pl.read_parquet(place / "truth.parquet"))

    def first_of(self, rows: pl.DataFrame, margins: np.ndarray) -> pl.DataFrame:
        """Return the children of the lists of days whom help reaches."""
        return listed(rows, margins).filter(pl.col("rank") <= self.first)


def started(setting: Setting) -> dict[str, History]:
    """Train the first model, help after its lists of a year, and return the history of each way until then."""
    start = setting.world(None, "start")
    seen = start.features(as_of_dates(date(2019, 9, 2), CUTS[0]))
    nobody = seen.select("pupil_id", "as_of", pl.lit(0, pl.Int64).alias("rank")).clear()
    unhelped = History(start, seen, nobody)
    rows = start.features(days_of(0))
    lists = setting.first_of(rows, trained(unhelped, CUTS[0], AS_THEY_CAME)(rows))
    helped = setting.world(lists, "helped")
    return {UNHELPED: unhelped, **{way: History(helped, seen, lists) for way in (AS_THEY_CAME, *WAYS)}}


def retrained(setting: Setting) -> dict[str, list[np.ndarray]]:
    """Return the figures of three retrainings, by way."""
    ways, shared = started(setting), {}
    for number in (1, 2, 3):
        for way, history in ways.items():
            if number > 1 and way != UNHELPED:
                history.world = setting.world(history.lists, f"{way}-{number}")
            key = id(history.world), number  # after the first year all ways share a world
            if key not in shared:
                shared[key] = [history.world.features(days_of(n)) for n in (number - 1, number)]
            of_year, ahead = shared[key]
            history.seen = pl.concat([history.seen, of_year])
            model = trained(history, CUTS[number], AS_THEY_CAME if way == UNHELPED else way)
            margins = model(ahead)
            history.figures.append(judged(ahead, margins, history.world.truth, setting.first))
            history.lists = pl.concat([history.lists, setting.first_of(ahead, margins)])
            shown = ", ".join(f"{f} {v:.3f}" for f, v in zip(FIGURES, history.figures[-1], strict=True))
            click.echo(f"seed {setting.seed}, retraining {number}, {way}: {shown}", err=True)
    return {way: history.figures for way, history in ways.items()}


def table(worlds: list[dict[str, list[np.ndarray]]]) -> str:
    """Return the means over seeds as a Markdown table; in brackets the lowest and the highest."""
    lines = [f"| retraining | outcomes | {' | '.join(FIGURES)} |", "|---|---|---|---|---|"]
    for number in range(3):
        for way in worlds[0]:
            values = np.array([w[way][number] for w in worlds])
            cells = [f"{v.mean():.2f} ({v.min():.2f} to {v.max():.2f})" for v in values.T]
            lines.append(f"| {number + 1} | {way} | {' | '.join(cells)} |")
    return "\n".join(lines)


@click.command()
@click.option("--pupils", default=3000, show_default=True)
@click.option("--seeds", default="71", show_default=True)
@click.option("--crises", default=10.0, show_default=True, help="Times as many crises as by default.")
@click.option("--first", default=60, show_default=True, help="Children of each list who are helped.")
@click.option("--factor", default=0.5, show_default=True, help="Of help, on the hazards of going missing.")
def main(pupils: int, seeds: str, crises: float, first: int, factor: float) -> None:
    """Print the table."""
    worlds = []
    for seed in map(int, seeds.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            setting = Setting(seed=seed, pupils=pupils, crises=crises, first=first, factor=factor, folder=Path(folder))
            worlds.append(retrained(setting))
        click.echo(table(worlds[-1:]), err=True)  # an interrupted run has shown what it had
    click.echo(table(worlds))


if __name__ == "__main__":
    main()
