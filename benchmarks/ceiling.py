"""The share of what the features can tell: each candidate against a model of the same features that is told the true risks.

``python -m benchmarks.ceiling [--pupils 20000] [--seeds 41] [--scenario default]``. The *ceiling* is LightGBM with cross-entropy, trained on the
true risks of other pupils on earlier days: it has no noise of few outcomes, so what it misses the features do not show, and what a candidate
lacks against it is for want of outcomes. Figures are *soft* average precision (``benchmarks.candidates``) over everybody and among children
who had not yet stopped coming. Nothing in onroll uses a true risk.
"""

from __future__ import annotations

import click
import numpy as np
import polars as pl

from benchmarks.candidates import snapshots, soft_precision
from features.catalogue import catalogue
from training.fitting.candidates import boosted, grid, releasable
from training.fitting.rolling_origin import Predictions, matrix_of, predict
from training.fitting.selection import choose
from training.fitting.splits import split
from training.measures.metrics import numbers

FOLDS, ROUNDS = 3, 400
SETTINGS = {
    "objective": "cross_entropy",
    "learning_rate": 0.03,
    "num_leaves": 31,
    "min_data_in_leaf": 40,
    "min_sum_hessian_in_leaf": 1e-3,
    "feature_fraction": 0.3,
    "lambda_l2": 10.0,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbose": -1,
}


def ceiling(frame: pl.DataFrame, predictions: Predictions, names: list[str], seed: int) -> np.ndarray:
    """Return margins for the predicted rows of the judged days, each from the true risks of other pupils on earlier days.

    Parameters
    ----------
    frame : polars.DataFrame
        Labelled snapshots with features and ``risk``.
    names : list of str
        The features.
    """
    import lightgbm as lgb

    fold_of = np.random.default_rng(seed).integers(0, FOLDS, frame["pupil_id"].n_unique())[numbers(frame, "pupil_id")]
    fold_by_row = frame.select("pupil_id", "as_of").with_columns(fold=pl.Series(fold_of))
    keys = predictions.frame.select("pupil_id", "as_of")
    ahead_fold = keys.join(fold_by_row, on=["pupil_id", "as_of"], how="left", maintain_order="left")["fold"].to_numpy()
    margins = np.zeros(len(predictions.frame))
    x, risk, days = matrix_of(frame, names), frame["risk"].to_numpy(), frame["as_of"].to_numpy()
    ahead = matrix_of(predictions.frame, names)
    for origin in np.unique(predictions.origin[predictions.judged]):
        of_day = predictions.origin == origin
        past = days < predictions.frame["as_of"].to_numpy()[of_day][0]
        for fold in range(FOLDS):
            learned = past & (fold_of != fold)
            data = lgb.Dataset(x[learned], risk[learned], params={"verbose": -1})
            booster = lgb.train({**SETTINGS, "seed": seed}, data, ROUNDS)
            rows = of_day & (ahead_fold == fold)
            margins[rows] = booster.predict(ahead[rows], raw_score=True)
    return margins


def shares(frame: pl.DataFrame, seed: int) -> str:
    """Return a Markdown table of the candidates that may be released, the ceiling and the truth."""
    names = catalogue().names
    candidates = [
        c
        for c in grid(boosted.DEFAULTS)
        if c.name in ("checklist", *releasable(grid(boosted.DEFAULTS), boosted.DEFAULTS))
    ]
    predictions = predict(frame, names, split(frame), candidates, seed)
    chosen, _ = choose(predictions, releasable(candidates, boosted.DEFAULTS), seed)
    predictions.margins["ceiling"] = ceiling(frame, predictions, names, seed)
    predictions.margins["truth"] = predictions.frame["risk"].to_numpy()
    lines = [
        "| candidate | soft, everybody | share of the ceiling | soft, not yet stopping | share of the ceiling |",
        "|---|---|---|---|---|",
    ]
    figures = {n: [soft_precision(predictions, n, early=early) for early in (False, True)] for n in predictions.margins}
    for name, (everybody, early) in figures.items():
        label = f"{name} (released)" if name == chosen else name
        of_ceiling = everybody / figures["ceiling"][0], early / figures["ceiling"][1]
        lines.append(f"| {label} | {everybody:.3f} | {of_ceiling[0]:.2f} | {early:.4f} | {of_ceiling[1]:.2f} |")
    return "\n".join(lines)


@click.command()
@click.option("--pupils", default=20_000, show_default=True)
@click.option("--seeds", default="41", show_default=True)
@click.option("--scenario", default="default", show_default=True)
def main(pupils: int, seeds: str, scenario: str) -> None:
    """Print a table for each seed."""
    for seed in map(int, seeds.split(",")):
        table = shares(snapshots(scenario, seed, pupils), seed)
        click.echo(f"### {scenario}, {pupils:,} pupils, seed {seed}\n\n{table}\n")


if __name__ == "__main__":
    main()
