"""The extended report of a run: groups, themes, authorities, weekly lists, the summer and mistakes."""

from __future__ import annotations

from typing import Any

import polars as pl

from features.catalogue import catalogue
from features.groups.grouping import grouped
from features.groups.groups import PROTECTED
from histories.reading.histories import Histories
from training.evaluation.ablation import by_theme
from training.evaluation.fairness import fairness
from training.evaluation.feature_importance import explained, made_up_score
from training.evaluation.mistakes import profile
from training.evaluation.proxies import proxies
from training.evaluation.seen_pupils import seen_and_unseen
from training.evaluation.summer_boards import summer_boards
from training.evaluation.transfer import learning_curve, leave_one_out
from training.evaluation.weekly_lists import week_by_week
from training.fitting.rolling_origin import matrix_of, weight_of
from training.measures.metrics import numbers
from training.pipeline import Trained, finite
from training.task import ProgressCallback, Task, quiet

CAPACITY = 25  # children reviewed per authority and term
WEEKLY = 8  # and per authority and week


def extended_report(
    histories: Histories, task: Task, trained: Trained, seed: int, advance: ProgressCallback = quiet
) -> dict[str, Any]:
    """Return every figure of the extended report as JSON-ready data."""
    name = trained.manifest.candidate
    advance(description="groups of children")
    judged = judged_with_groups(histories, task, trained)
    advance(description="who was missed")
    reasons = explained(trained, seed)
    return finite(
        {
            "capacity": CAPACITY,
            "seen_and_unseen": seen_and_unseen(trained.predictions, name, CAPACITY),
            "mistakes": profile(trained.predictions, name, CAPACITY),
            "fairness": fairness_by_group(trained, judged, seed),
            "proxies": proxies_of(trained, judged, reasons["contributions"], seed),
            **reasons,
            "made_up_child": made_up_score(trained),
            "weekly": week_by_week(
                histories=histories, task=task, trained=trained, capacity=WEEKLY, seed=seed, advance=advance
            ),
            "themes": by_theme(trained, seed, advance),
            "other_authorities": leave_one_out(trained, seed, advance),
            "learning_curve": learning_curve(trained, seed, advance),
            "summer": summer_boards(histories, task, trained, seed, advance=advance),
        }
    )


def fairness_by_group(trained: Trained, judged: tuple[pl.DataFrame, pl.DataFrame], seed: int) -> dict[str, Any]:
    """Return the fairness report of the lists on the test dates; see ``judged_with_groups``."""
    frame, groups = judged
    risk = trained.predictions.risk(trained.manifest.candidate)[trained.predictions.judged]
    return fairness(
        frame, risk, frame["label"].to_numpy(), groups, CAPACITY, weight=weight_of(frame), seed=seed
    ).to_dict()


def proxies_of(
    trained: Trained, judged: tuple[pl.DataFrame, pl.DataFrame], importance: dict[str, float], seed: int
) -> list[dict[str, Any]]:
    """Return how well the features predict protected groups, and the risk model's share of the same features."""
    frame, groups = judged
    keys = ["pupil_id", "as_of"]
    protected = frame.select(keys).join(
        groups.select(*keys, *(c for c in PROTECTED if c in groups.columns)), on=keys, how="left", maintain_order="left"
    )
    results = proxies(
        matrix_of(frame, catalogue().names),
        catalogue().names,
        numbers(frame, "pupil_id"),
        protected,
        weight=weight_of(frame),
        importance=importance,
        seed=seed,
    )
    return [p.to_dict() for p in results]


def judged_with_groups(histories: Histories, task: Task, trained: Trained) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the snapshots of the test dates, and the groups of their children."""
    groups: Any = pl.from_arrow(grouped(histories, trained.splits.test, task.rule))
    return trained.predictions.frame.filter(trained.predictions.judged), groups
