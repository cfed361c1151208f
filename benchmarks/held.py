"""Whether the interval of a score holds the rate, on simulated populations with known true risks: five scenarios, and each part left out.

``python -m benchmarks.held [--seeds 1,2] [--only SCENARIO] [--dates 2] [--pupils 20000] [--kept FOLDER]``. The populations are those of
``benchmarks.scenarios``; the ridge is trained and calibrated alone, which was released in every one of them. On each of the newest test dates it knows what was
known before that day. The children of the day are binned by score, finer towards the top (``benchmarks.coverage``), and the interval of a bin holds
if the mean true risk of its children lies in it. That mean is of a few children, some with a risk a hundred times as high as the others', so it has
a noise of its own: beside it stands how many intervals come as near to it as twice its standard error.

The simulation's true risk counts every exit to an unknown destination, the default definition only those on no roll for 20 school days: more than a
third of these exits do not count, so an interval that is right lies below. The true risks are therefore multiplied by the share that counts
(``benchmarks.worlds.counted``), from a population in which exits to unknown destinations are all there is.

Each world is a minute of processor time; bins of a world share one calibrator and one population, so their shares are noisy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import polars as pl

from benchmarks.coverage import bins_of, trained
from benchmarks.scenarios import SCENARIOS
from benchmarks.worlds import JUDGED_SINCE, counted, rows_of, snapshots
from features.catalogue import catalogue
from histories.io.atomic_write import new_file
from training.fitting.candidates import boosted, grid
from training.fitting.partial_windows import learned_before
from training.fitting.rolling_origin import matrix_of, predict
from training.fitting.splits import split
from training.measures.calibration import half_width, interval

# What an interval was before terms were compared, and each part alone left out.
WITHOUT: dict[str, dict[str, Any]] = {
    "whole": {},
    "without terms": {"between": {}},
    "without models": {"spread": {}},
    "without calibrators": {"bootstrap": []},
}


def world(scenario: str, seed: int, pupils: int, dates: int) -> list[dict[str, Any]]:
    """Return, for each test date and kind of interval, which bins it holds, the share of children's own risks in it, and its mean width in log-odds."""
    frame = snapshots(scenario, seed, pupils, authorities=SCENARIOS[scenario], truth_since=JUDGED_SINCE)
    ridge = [c for c in grid(boosted.DEFAULTS) if c.name == "ridge"]
    predictions = predict(frame, catalogue().names, split(frame), ridge, seed)
    rows = []
    for n in np.unique(predictions.origin[predictions.judged])[-dates:]:
        known = rows_of(predictions, np.flatnonzero(predictions.origin < n))
        ahead = predictions.frame.filter(pl.Series(predictions.origin == n))
        past = learned_before(frame, ahead["as_of"][0])
        score, calibrator = trained(past, known, chosen="ridge", settings=boosted.DEFAULTS, seed=seed)
        margins, truth = (
            score(matrix_of(ahead, catalogue().names)),
            ahead["risk"].to_numpy() * counted()[ahead["as_of"][0]],
        )
        of_date = {"date": str(ahead["as_of"][0]), "newest": bool(n == predictions.origin.max())}
        for name, without in WITHOUT.items():
            rows.append({**of_date, "interval": name, **figures(margins, truth, {**calibrator, **without})})
    return rows


def figures(margins: np.ndarray, truth: np.ndarray, calibrator: dict[str, Any]) -> dict[str, Any]:
    """Return which bins hold the mean true risk, which come near it, the share of own risks held, and the mean width."""
    low, high = interval(margins, calibrator)
    held, near = [], []
    for rows in bins_of(margins):
        rate, noise = truth[rows].mean(), 2 * truth[rows].std() / np.sqrt(len(rows))
        held.append(bool(low[rows].mean() <= rate <= high[rows].mean()))
        near.append(bool(low[rows].mean() <= rate + noise and rate - noise <= high[rows].mean()))
    return {
        "held": held,
        "near": near,
        "children": float(np.mean((low <= truth) & (truth <= high))),
        "width": float(2 * half_width(margins, calibrator).mean()),
    }


def table(worlds: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Yield a row for each scenario and kind of interval."""
    yield "| scenario | interval | newest date: bins held | all dates: bins held | or near | own risks held | mean width |"
    yield "|---" * 7 + "|"
    for scenario, results in worlds.items():
        for name in WITHOUT:
            rows = [r for r in results if r["interval"] == name]
            newest = [b for r in rows if r["newest"] for b in r["held"]]
            every, near = ([b for r in rows for b in r[c]] for c in ("held", "near"))
            own, width = (float(np.mean([r[c] for r in rows])) for c in ("children", "width"))
            yield (
                f"| `{scenario}` | {name} | {np.mean(newest):.0%} of {len(newest)} | {np.mean(every):.0%} of {len(every)} | "
                f"{np.mean(near):.0%} | {own:.0%} | {width:.2f} |"
            )


@click.command()
@click.option("--seeds", default="1,2", show_default=True)
@click.option("--dates", default=2, show_default=True)
@click.option("--pupils", default=20_000, show_default=True)
@click.option("--only", type=click.Choice(list(SCENARIOS)), multiple=True)
@click.option("--kept", type=click.Path(path_type=Path), default=Path(".onroll/held"), show_default=True)
def main(*, seeds: str, dates: int, pupils: int, only: tuple[str, ...], kept: Path) -> None:
    """Compute missing worlds, print each as it comes, and the table of all."""
    worlds: dict[str, list[dict[str, Any]]] = {s: [] for s in only or SCENARIOS}
    for seed in map(int, seeds.split(",")):
        for scenario, results in worlds.items():
            file = kept / f"{scenario}-{pupils}-{seed}-{dates}-{catalogue().digest[:8]}.json"
            if not file.is_file():
                rows = world(scenario, seed, pupils, dates)
                with new_file(file) as temporary:
                    temporary.write_text(json.dumps(rows))
                click.echo(f"{scenario}, seed {seed}: done", err=True)
            results += json.loads(file.read_text())
    click.echo("\n".join(table(worlds)))


if __name__ == "__main__":
    main()
