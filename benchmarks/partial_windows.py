"""What partly known windows add to a long horizon: each candidate with them and without.

``python -m benchmarks.partial_windows [--pupils 20000] [--seeds 61,62] [--horizon 364]``. Both learn at the same origins and are judged on the same
fully known windows of later days. *Soft* average precision takes the true risk as the label; the simulation knows that of the default horizon
only, so beside a longer one it is a ranking by who goes missing sooner. Leads are paired on resamples of pupils.
"""

from __future__ import annotations

from collections.abc import Iterator

import click
import numpy as np
import polars as pl

from benchmarks.worlds import judged, snapshots, soft_draws
from features.catalogue import catalogue
from training.fitting.candidates import boosted, grid, releasable
from training.fitting.partial_windows import FROM_HORIZON
from training.fitting.rolling_origin import Predictions, onset_of, predict
from training.fitting.splits import split
from training.measures import calibration
from training.measures.evaluate import Resamples, interval
from training.measures.metrics import average_precision, share_listed

RESAMPLES, CAPACITY, LEAD_DAYS = 100, 25, 28
FIGURES = ("average precision", "not yet stopping", "soft", "soft, not yet stopping")


def precisions(predictions: Predictions, name: str, times: np.ndarray) -> np.ndarray:
    """Return ``FIGURES``, each a mean over the test dates, with rows counted so many times."""
    frame, margins = predictions.frame, predictions.margins[name]
    early = ~frame["already_stopping"].to_numpy()
    figures, label = [], frame["label"].to_numpy()
    for among in (np.ones(len(frame), bool), early):
        days = [np.flatnonzero(among & (predictions.origin == n)) for n in np.unique(predictions.origin)]
        figures.append(
            np.mean([average_precision(margins[d], label[d], times[d]) for d in days if label[d] @ times[d]])
        )
    figures += [soft_draws(predictions, name, [times], early=only)[0] for only in (False, True)]
    return np.array(figures)


def found_early(predictions: Predictions, name: str) -> str:
    """Return how many early outcomes are on the lists "help early", and of how many."""
    onset = onset_of(predictions.frame)
    assert onset is not None
    rows = np.flatnonzero(~onset.stopping)
    early = (predictions.label[rows] == 1) & (onset.days[rows] >= LEAD_DAYS)
    share = share_listed(predictions.margins[name][rows], predictions.list_of[rows], CAPACITY, 0, np.ones(len(rows)))
    return f"{share[early].sum():.0f} of {early.sum()}"


def lines_of(frame: pl.DataFrame, seed: int) -> Iterator[str]:
    """Yield a line of a Markdown table for each candidate without and with parts of windows."""
    candidates = [c for c in grid(boosted.DEFAULTS) if c.name in releasable(grid(boosted.DEFAULTS), boosted.DEFAULTS)]
    both = [
        judged(predict(rows, catalogue().names, split(frame), candidates, seed))
        for rows in (frame.drop("matured_on"), frame)
    ]
    resamples = Resamples(both[0].pupil, seed, RESAMPLES).weights
    once = np.ones(len(both[0].frame))
    for name in both[0].margins:
        figures = [precisions(p, name, once) for p in both]
        draws = np.array([precisions(both[1], name, w) - precisions(both[0], name, w) for w in resamples])
        for n, (title, p) in enumerate(zip(("whole windows", "parts too"), both, strict=True)):
            slope = calibration.fit(p.margins[name], p.label)[0]
            shown = " | ".join(f"{v:.4f}" for v in figures[n])
            yield f"| {name}, {title} | {shown} | {found_early(p, name)} | {slope:.2f} |"
        bounds = [interval(d) for d in draws.T]
        leads = [
            f"{x:+.4f} ({low:+.4f} to {high:+.4f})"
            for x, (low, high) in zip(figures[1] - figures[0], bounds, strict=True)
        ]
        yield f"| {name}, lead | {' | '.join(leads)} | | |"


@click.command()
@click.option("--pupils", default=20_000, show_default=True)
@click.option("--seeds", default="61,62", show_default=True)
@click.option("--horizon", type=click.IntRange(min=FROM_HORIZON), default=364, show_default=True)
def main(pupils: int, seeds: str, horizon: int) -> None:
    """Print a table for each seed."""
    for seed in map(int, seeds.split(",")):
        frame = snapshots("default", seed, pupils, horizon=horizon)
        click.echo(f"### {pupils:,} pupils, horizon {horizon}, seed {seed}\n")
        click.echo(f"| candidate | {' | '.join(FIGURES)} | early, found at {CAPACITY} | slope |\n" + "|---" * 7 + "|")
        for line in lines_of(frame, seed):
            click.echo(line)


if __name__ == "__main__":
    main()
