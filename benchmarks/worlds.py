"""Simulated worlds with their true risks, and soft average precision; shared by other benchmarks.

*Soft* average precision takes the true risk as the label, so it is less noisy than the few outcomes. Nothing in onroll uses a true risk.
"""

from __future__ import annotations

import tempfile
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from features.outcome.definition import Definition
from features.outcome.label import label
from histories.calendar import HORIZON
from histories.population.simulation import simulate
from histories.reading.histories import Histories
from training.fitting.rolling_origin import Predictions
from training.labeller import Labeller
from training.measures.metrics import ordered_precision
from training.task import Task

YEARS = 4
JUDGED_SINCE = date(2024, 4, 15)  # the first of the newest four term starts whose outcomes are known
UNKNOWN = 0.5  # share of exits to unknown destinations among those that may count: 0.40 to 0.56 by the cause (histories/population)
ONLY_UNKNOWN = """title = "only unknown"
[latent]
crisis_rate = 0.0
[exits]
missing = 0.0
unknown = 0.004
crisis_missing = 0.0
crisis_unknown = 0.0
effect = 0.0
"""


def snapshots(
    scenario: str,
    seed: int,
    pupils: int,
    *,
    authorities: int = 1,
    years: int = YEARS,
    horizon: int = HORIZON,
    truth_since: date | None = None,
    edges: tuple[int, ...] = (),
) -> pl.DataFrame:
    """Return labelled snapshots of a simulated population at the start of each term, with features and true risks.

    Children who had already left have risk zero.

    Parameters
    ----------
    horizon : int
        Days of the outcome window; true risks are those of the default horizon.
    truth_since : date, optional
        Earlier days have no true risk, which saves much of the time; ``JUDGED_SINCE`` keeps those of the test dates of ``YEARS``.
    edges : tuple of int, optional
        Days for which ``windows`` adds what was known and when.
    """
    with tempfile.TemporaryDirectory() as folder:
        histories = Path(folder) / "h"
        simulate(
            histories,
            pupils=pupils,
            years=years,
            authorities=authorities,
            seed=seed,
            scenario=scenario,
            truth=True,
            truth_since=truth_since,
        )
        opened = Histories.open(histories)
        frame = windows(opened, Task(horizon=horizon).labelled(opened), edges)
        truth = pl.read_parquet(histories / "truth.parquet")
    frame = frame.join(truth, on=["pupil_id", "as_of"], how="left", maintain_order="left")
    has_risk = pl.col("as_of").is_in(truth["as_of"].unique().implode())
    return frame.with_columns(pl.when(has_risk).then(pl.col("risk").fill_null(0.0)))


def windows(histories: Histories, frame: pl.DataFrame, edges: tuple[int, ...]) -> pl.DataFrame:
    """Return snapshots with the outcome in shorter or longer windows, null where it is not known.

    For windows of 14 days and so on ``label_14``, ``known_14`` (the day on which the outcome was known) and ``left_14`` (whether the child left
    otherwise in it).
    """
    labeller = Labeller(histories, Task())
    for edge in edges:
        labels = labeller.labels(Task(horizon=edge)).select(
            "pupil_id",
            "as_of",
            pl.col("label").alias(f"label_{edge}"),
            pl.col("known_on").alias(f"known_{edge}"),
            ((pl.col("label") == 0) & (pl.col("outcome") != "stayed")).alias(f"left_{edge}"),
        )
        frame = frame.join(labels, on=["pupil_id", "as_of"], how="left", maintain_order="left")
    return frame


def rows_of(predictions: Predictions, rows: np.ndarray) -> Predictions:
    """Return the predictions of some rows."""
    return Predictions(
        frame=predictions.frame[rows],
        origin=predictions.origin[rows],
        judged=predictions.judged[rows],
        seen=predictions.seen[rows],
        margins={name: m[rows] for name, m in predictions.margins.items()},
    )


def judged(predictions: Predictions) -> Predictions:
    """Return the predictions for the test dates."""
    return rows_of(predictions, np.flatnonzero(predictions.judged))


def soft_precision(predictions: Predictions, name: str, *, early: bool) -> float:
    """Return the mean over test dates of the average precision with true risks as labels; ``early``: among children not yet stopping."""
    return float(soft_draws(predictions, name, [np.ones(len(predictions.frame))], early=early)[0])


def soft_draws(predictions: Predictions, name: str, weights: list[np.ndarray], *, early: bool) -> np.ndarray:
    """Return soft average precision with the rows counted so many times, once for each of ``weights``."""
    kept = predictions.judged & ~(predictions.frame["already_stopping"].to_numpy() & early)
    risk, margins = predictions.frame["risk"].to_numpy(), predictions.margins[name]
    by_day = []
    for n in np.unique(predictions.origin[kept]):
        rows = np.flatnonzero(kept & (predictions.origin == n))
        order = rows[np.argsort(-margins[rows], kind="stable")]
        score, label = margins[order], risk[order]
        by_day.append([ordered_precision(score, label, times[order]) for times in weights])
    return np.mean(by_day, axis=0)


@cache
def counted(pupils: int = 10_000) -> dict[date, float]:
    """Return, for each test date, the share of the true risk that the default definition counts."""
    with tempfile.TemporaryDirectory() as folder:
        scenario, histories = Path(folder) / "unknown.toml", Path(folder) / "h"
        scenario.write_text(ONLY_UNKNOWN)
        simulate(
            histories, pupils=pupils, years=YEARS, seed=3, scenario=str(scenario), truth=True, truth_since=JUDGED_SINCE
        )
        truth = pl.read_parquet(histories / "truth.parquet")
        days = truth["as_of"].unique().sort().to_list()
        labels = pl.DataFrame(label(Histories.open(histories), days, Definition.load())).drop_nulls("label")
    both = (
        labels.join(truth, on=["pupil_id", "as_of"]).group_by("as_of").agg(pl.col("label").sum(), pl.col("risk").sum())
    )
    return {day: 1 - UNKNOWN * (1 - events / expected) for day, events, expected in both.iter_rows()}
