"""Does choosing by early recall make the choice of a candidate noisier? The same choice on resampled pupils, by three rules.

``python -m benchmarks.choice [--pupils 20000] [--seeds 41,42] [--scenario default]``. *Average precision* takes the safest of those within noise of the best in it.
*Early recall within noise* is the rule of ``training.fitting.selection``: of those, and of those that find more
early than the best of them, the safest within noise of the highest early recall. *Highest early recall* takes the highest of those within noise
of the best in average precision, noise or not. A rule is steadier the more often it takes the same candidate; what it takes is worth the
candidate's *soft* average precision (``benchmarks.worlds``) among children not yet stopping.
"""

from __future__ import annotations

from collections import Counter

import click
import numpy as np
import polars as pl

from benchmarks.worlds import snapshots, soft_precision
from features.catalogue import catalogue
from training.fitting.candidates import boosted, grid, releasable
from training.fitting.rolling_origin import Predictions, predict
from training.fitting.selection import choose
from training.fitting.splits import split

DRAWS = 30
COLUMNS = ("pupil_id", "as_of", "authority", "label", "already_stopping", "happened_on", "trailing_absent_sessions")
RULES = ("average precision", "early recall within noise", "highest early recall")


def resampled(predictions: Predictions, among: list[str], rng: np.random.Generator) -> Predictions:
    """Return the predictions of pupils drawn with replacement, as weights."""
    pupil = predictions.pupil
    many = int(pupil.max()) + 1
    times = np.bincount(rng.integers(0, many, many), minlength=many)[pupil]
    rows = np.flatnonzero(times)
    weight = pl.Series("weight", times[rows].astype(float))
    return Predictions(
        frame=predictions.frame[rows].select(COLUMNS).with_columns(weight),
        origin=predictions.origin[rows],
        judged=predictions.judged[rows],
        seen=predictions.seen[rows],
        margins={name: predictions.margins[name][rows] for name in among},
    )


def choices(predictions: Predictions, among: list[str], seed: int) -> dict[str, Counter[str]]:
    """Return how often each rule takes each candidate."""
    rng, taken = np.random.default_rng(seed), {rule: Counter[str]() for rule in RULES}
    for draw in range(DRAWS):
        name, story = choose(resampled(predictions, among, rng), among, draw)
        recall, near = story["early_recall"], story["within_noise"]
        taken[RULES[0]][near[0]] += 1
        taken[RULES[1]][name] += 1
        # The first of several with the same recall is the safest.
        taken[RULES[2]][max(near, key=recall.__getitem__)] += 1
    return taken


def table(predictions: Predictions, among: list[str], seed: int) -> str:
    """Return the rules as a Markdown table."""
    soft = {name: soft_precision(predictions, name, early=True) for name in among}
    lines = ["| rule | taken | the same in | soft, not yet stopping |", "|---|---|---|---|"]
    for rule, taken in choices(predictions, among, seed).items():
        names = ", ".join(f"{name} {times}" for name, times in taken.most_common())
        worth = sum(soft[name] * times for name, times in taken.items()) / DRAWS
        lines.append(f"| {rule} | {names} | {max(taken.values()) / DRAWS:.0%} | {worth:.4f} |")
    return "\n".join(lines)


@click.command()
@click.option("--pupils", default=20_000, show_default=True)
@click.option("--seeds", default="41,42", show_default=True)
@click.option("--scenario", default="default", show_default=True)
def main(pupils: int, seeds: str, scenario: str) -> None:
    """Print a table for each seed."""
    among = releasable(grid(boosted.DEFAULTS), boosted.DEFAULTS)
    candidates = [c for c in grid(boosted.DEFAULTS) if c.name in among]
    for seed in map(int, seeds.split(",")):
        frame = snapshots(scenario, seed, pupils)
        predictions = predict(frame, catalogue().names, split(frame), candidates, seed)
        click.echo(f"### {scenario}, {pupils:,} pupils, seed {seed}\n\n{table(predictions, among, seed)}\n")


if __name__ == "__main__":
    main()
