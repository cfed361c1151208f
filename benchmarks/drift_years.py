"""How soon alarms about outcomes see that causes matter less than they did (scenario ``drift``), on lists of simulated histories.

``python -m benchmarks.drift_years [--seeds 1,2,3] [--pupils 4000] [--years 6]``. Each seed is simulated twice, as ``default`` and as ``drift`` from the first
Monday of January in the fourth year on; until then both are the same. A ridge regression learns from what was known a year before that day, is calibrated on the lists whose windows end before it, and is not trained again.
Every fourth week it makes a list, and the alarms look at the lists whose outcomes are known by then. A fault counts as found as in ``benchmarks.alarm_years``.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import numpy as np
import polars as pl

from benchmarks.drawn_years import NEWEST
from benchmarks.found import Found, states_of
from benchmarks.monitoring import CODES, NO_ONE, Drawn
from benchmarks.simulated_years import AUTHORITY, DEFINITION, MATURED
from features.catalogue import catalogue
from features.matrix import matrix
from histories.calendar import HORIZON, as_of_dates
from histories.population.scenario import load_scenario
from histories.population.simulation import LAST_DAY, simulate
from histories.reading.histories import Histories
from serving.monitoring.judge import Judgement
from serving.monitoring.outcomes import Outcomes, outcomes_of
from training.fitting.candidates import ridge
from training.fitting.rolling_origin import learn_from, matrix_of
from training.measures import calibration
from training.task import Task

STEP, YEAR, AT_ONCE = timedelta(weeks=4), timedelta(weeks=52), 13
PLACES = 20
DRIFT = "[exits]\neffect = {effect}\neffect_from = {day}\n"
Margins = Callable[[np.ndarray], np.ndarray]


def days_of(years: int) -> tuple[date, list[date]]:
    """Return the day of the drift and the days of lists, from a year before it."""
    first = LAST_DAY.year - years + 3
    drift = next(d for n in range(7) if (d := date(first, 1, 1) + timedelta(days=n)).weekday() == 0)
    count = (LAST_DAY - (drift - YEAR)) // STEP
    return drift, [drift - YEAR + n * STEP for n in range(count)]


def simulated(folder: Path, *, seed: int, pupils: int, years: int, drift: date | None) -> Histories:
    """Simulate an authority, with a drift from a day on if one is given."""
    scenario: str | Path = "default"
    if drift:
        scenario = folder / "drift.toml"
        scenario.write_text(DRIFT.format(effect=load_scenario("drift")["exits"]["effect"], day=drift))
    simulate(folder / "h", pupils=pupils, years=years, seed=seed, scenario=scenario)
    return Histories.open(folder / "h", engine="polars")


def learned(histories: Histories, until: date) -> tuple[Margins, float]:
    """Return what gives margins by what was known before a day, and the rate of going missing that it learnt."""
    days = tuple(as_of_dates(until - 3 * YEAR, until - timedelta(days=1)))
    labels = Task(as_of=days, until=until).labels(histories)
    x = pl.DataFrame(matrix(histories, sorted(labels["as_of"].unique())))
    frame = x.join(labels, on=["pupil_id", "as_of"]).sort("as_of", "pupil_id").with_columns(weight=pl.lit(1.0))
    fitted = ridge.fit(learn_from(frame, catalogue().names, 1), monotone=True)
    return fitted.margins, float(frame["label"].mean())  # type: ignore[arg-type]


def lists_of(histories: Histories, days: list[date], margins: Margins) -> pl.DataFrame:
    """Return the lists of some days with what came."""
    parts = []
    for start in range(0, len(days), AT_ONCE):
        x = pl.DataFrame(matrix(histories, days[start : start + AT_ONCE]))
        margin = pl.Series("margin", margins(matrix_of(x, catalogue().names)))
        rank = pl.col("margin").rank("ordinal", descending=True).over("as_of").cast(pl.Int64).alias("rank")
        scores = x.select("pupil_id", "as_of", pl.lit(AUTHORITY).alias("authority"), margin).with_columns(rank)
        parts.append(outcomes_of(histories, scores, DEFINITION, HORIZON).scored)
    return pl.concat(parts).with_columns(places=pl.lit(PLACES), horizon=pl.lit(HORIZON))


def with_risks(lists: pl.DataFrame, a: float, b: float) -> pl.DataFrame:
    """Add the calibrated risks."""
    return lists.with_columns(pl.Series("risk", calibration.risk(lists["margin"].to_numpy(), a, b)))


def look(lists: pl.DataFrame, day: date, base_rate: float) -> dict[str, str]:
    """Return the states of the alarms on a day."""
    known = lists.filter(pl.col("as_of") + MATURED <= day)
    newest = known["as_of"].unique().sort()[-NEWEST:]
    matured = known.filter(pl.col("as_of").is_in(newest.implode()))
    judgement = Judgement(outcomes={"1": Outcomes(matured, NO_ONE.unscored.with_columns(as_of=None))})
    manifests: Any = {"1": SimpleNamespace(base_rate=base_rate)}
    judgement.manifests = manifests
    return states_of(CODES, Drawn(judgement=judgement))


def years_with_drift(found: Found, seed: int, pupils: int, years: int) -> None:
    """Simulate an authority with and without the drift, and add what alarms found."""
    drift, days = days_of(years)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        calm_world = simulated(Path(one), seed=seed, pupils=pupils, years=years, drift=None)
        margins, rate = learned(calm_world, days[0])
        calm_lists = lists_of(calm_world, days, margins)
        world = simulated(Path(other), seed=seed, pupils=pupils, years=years, drift=drift)
        before = calm_lists.filter(pl.col("as_of") + timedelta(days=HORIZON) < drift)
        again = [d for d in days if d + timedelta(days=HORIZON) >= drift]
        lists = pl.concat([before, lists_of(world, again, margins)])
    told = before.filter(pl.col("label").is_not_null())
    fitted = calibration.fit(told["margin"].to_numpy(), told["label"].to_numpy())
    calm_lists, lists = with_risks(calm_lists, *fitted), with_risks(lists, *fitted)
    looks = [d for d in days if d >= days[7] + MATURED]
    calm = {d: look(calm_lists, d, rate) for d in looks}
    found.calm(list(calm.values()), len(looks) / 13)
    for code in CODES:
        up = (d for d in looks if d > drift and look(lists, d, rate)[code] == "up" and calm[d][code] != "up")
        weeks = next(((d - drift).days / 7 for d in up), None)
        found.fault("risk factors matter about half as much (drift)", code, weeks)
    ratios = {
        name: float(x["label"].sum() or 0) / float(x.filter(pl.col("label").is_not_null())["risk"].sum() or 1)
        for name, x in (("default", calm_lists), ("drift", lists))
        for x in [x.filter(pl.col("as_of") >= drift)]
    }
    click.echo(f"seed {seed}: observed over expected since then {ratios}", err=True)


@click.command()
@click.option("--seeds", default="1,2,3", show_default=True)
@click.option("--pupils", default=4000, show_default=True)
@click.option("--years", default=6, show_default=True)
def main(seeds: str, pupils: int, years: int) -> None:
    """Print both tables."""
    found = Found()
    for seed in seeds.split(","):
        years_with_drift(found, int(seed), pupils, years)
        click.echo(f"seed {seed}: {time.process_time():.0f} s of processor time", err=True)
        click.echo(f"{found.table_of_faults()}\n\n{found.table_of_codes()}", err=True)
    click.echo(f"{found.table_of_faults()}\n\n{found.table_of_codes()}")


if __name__ == "__main__":
    main()
