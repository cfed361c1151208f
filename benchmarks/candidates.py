"""The candidates that can be released, on the default population and on one whose children go missing by other rules.

``python -m benchmarks.candidates [--pupils 10000] [--seeds 41,42]``. Each world is simulated with its true risks, and judged at rolling origins as
``onroll train`` does, with the default settings. *Soft* average precision takes the true risk as the label, so it is less noisy than the few
outcomes; *early* is among children who had not yet stopped coming. Nothing in onroll is tuned on ``other_rules``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np
import polars as pl

from features.catalogue import catalogue
from histories.population.simulation import simulate
from histories.reading.histories import Histories
from training.fitting.candidates import boosted, grid, releasable
from training.fitting.rolling_origin import Predictions, judge_all, predict
from training.fitting.selection import choose
from training.fitting.splits import split
from training.measures.metrics import average_precision
from training.task import Task

SCENARIOS = ("default", "other_rules")
COMPARED = ("checklist", "ridge", "lightgbm", "mean")
YEARS = 4
Row = dict[str, Any]


def snapshots(scenario: str, seed: int, pupils: int, authorities: int = 1) -> pl.DataFrame:
    """Return labelled snapshots of a simulated population with features and true risks; children who had already left have risk zero."""
    with tempfile.TemporaryDirectory() as folder:
        histories = Path(folder) / "h"
        simulate(
            histories, pupils=pupils, years=YEARS, authorities=authorities, seed=seed, scenario=scenario, truth=True
        )
        frame = Task().labelled(Histories.open(histories))
        truth = pl.read_parquet(histories / "truth.parquet")
    frame = frame.join(truth, on=["pupil_id", "as_of"], how="left", maintain_order="left")
    return frame.with_columns(pl.col("risk").fill_null(0.0))


def figures_of(frame: pl.DataFrame, seed: int) -> tuple[list[Row], str]:
    """Return each candidate's figures on the test dates, and the name of the one that would be released."""
    candidates = [c for c in grid(boosted.DEFAULTS) if c.name in COMPARED]
    predictions = predict(frame, catalogue().names, split(frame), candidates, seed)
    chosen, _ = choose(predictions, releasable(candidates, boosted.DEFAULTS), seed)
    predictions.margins["truth"] = predictions.frame["risk"].to_numpy()
    figures, against = judge_all(predictions, "mean", seed)
    rows = []
    for name, judged in figures.items():
        lead = against.get(name, {}).get("average_precision", {})
        rows.append(
            {
                "candidate": name,
                "average precision": judged["average_precision"],
                "soft": soft_precision(predictions, name, early=False),
                "soft, early": soft_precision(predictions, name, early=True),
                "early recall, 25": judged["early"]["at_least_28_days"]["top_25"]["early_recall"],
                "slope": judged.get("calibration_slope"),
                "the mean leads by": lead,
                "positives": judged["positives"],
            }
        )
    return rows, chosen


def soft_precision(predictions: Predictions, name: str, *, early: bool) -> float:
    """Return the mean over test dates of the average precision with true risks as labels."""
    kept = predictions.judged & ~(predictions.frame["already_stopping"].to_numpy() & early)
    risk, margins = predictions.frame["risk"].to_numpy(), predictions.margins[name]
    days = [kept & (predictions.origin == n) for n in np.unique(predictions.origin[kept])]
    return float(np.mean([average_precision(margins[rows], risk[rows]) for rows in days]))


def table(scenario: str, seed: int, rows: list[Row], chosen: str) -> str:
    """Return the figures of one world as a Markdown table."""
    head = f"### {scenario}, seed {seed}: {rows[0]['positives']} outcomes on the test dates; released: {chosen}"
    columns = ("average precision", "soft", "soft, early", "early recall, 25", "slope")
    lines = [head, "", f"| candidate | {' | '.join(columns)} | the mean leads by |", "|---" * (len(columns) + 2) + "|"]
    for row in rows:
        shown = ["" if row[c] is None or np.isnan(row[c]) else f"{row[c]:.3f}" for c in columns]
        lead = row["the mean leads by"]
        ahead = f"{lead['lead']:+.3f} ({lead['interval'][0]:+.3f} to {lead['interval'][1]:+.3f})" if lead else ""
        lines.append(f"| {row['candidate']} | {' | '.join(shown)} | {ahead} |")
    return "\n".join(lines)


@click.command()
@click.option("--pupils", default=10_000, show_default=True)
@click.option("--seeds", default="41,42", show_default=True)
def main(pupils: int, seeds: str) -> None:
    """Print a table for each world."""
    for scenario in SCENARIOS:
        for seed in map(int, seeds.split(",")):
            rows, chosen = figures_of(snapshots(scenario, seed, pupils), seed)
            click.echo(table(scenario, seed, rows, chosen) + "\n")


if __name__ == "__main__":
    main()
