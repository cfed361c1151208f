"""The deeper report of a run: groups, themes, authorities and weeks, and who was missed."""

from __future__ import annotations

from typing import Any

import polars as pl

from features.catalogue import catalogue
from features.groups.grouping import grouped
from features.groups.groups import PROTECTED
from histories.reading.histories import Histories
from training.evaluation.ablation import by_theme
from training.evaluation.fairness import fairness
from training.evaluation.feature_importance import contributions
from training.evaluation.mistakes import profile
from training.evaluation.proxies import proxies
from training.evaluation.seen_pupils import seen_and_unseen
from training.evaluation.transfer import learning_curve, leave_one_out
from training.evaluation.weekly_lists import week_by_week
from training.fitting.rolling_origin import matrix_of, weight_of
from training.measures.metrics import numbers
from training.pipeline import Trained, finite
from training.task import ProgressCallback, Task, quiet

CAPACITY = 25  # children looked into in each authority and term
WEEKLY = 8  # and in each authority and week


def deeper(
    histories: Histories, question: Task, trained: Trained, seed: int, advance: ProgressCallback = quiet
) -> dict[str, Any]:
    """Return everything that is told of a model beyond the figures of the grid, ready for JSON."""
    name = trained.manifest.candidate
    advance(description="groups of children")
    beside = beside_groups(histories, question, trained)
    advance(description="who was missed")
    moved = contributions(trained, seed)
    return finite(
        {
            "capacity": CAPACITY,
            "seen_and_unseen": seen_and_unseen(trained.answers, name, CAPACITY),
            "mistakes": profile(trained.answers, name, CAPACITY),
            "fairness": groups_of(trained, beside, seed),
            "proxies": proxies_of(trained, beside, moved, seed),
            "contributions": moved,
            "weekly": week_by_week(
                histories=histories, question=question, trained=trained, capacity=WEEKLY, seed=seed, advance=advance
            ),
            "themes": by_theme(trained, seed, advance),
            "other_authorities": leave_one_out(trained, seed, advance),
            "learning_curve": learning_curve(trained, seed, advance),
        }
    )


def groups_of(trained: Trained, beside: tuple[pl.DataFrame, pl.DataFrame], seed: int) -> dict[str, Any]:
    """Say how the lists of the judged days fall on groups; see ``beside_groups``."""
    frame, of = beside
    risk = trained.answers.risk(trained.manifest.candidate)[trained.answers.judged]
    return fairness(frame, risk, frame["label"].to_numpy(), of, CAPACITY, weight=weight_of(frame), seed=seed).to_dict()


def proxies_of(
    trained: Trained, beside: tuple[pl.DataFrame, pl.DataFrame], moved: dict[str, float], seed: int
) -> list[dict[str, Any]]:
    """Say how well the features tell protected groups, and how much of the risk model goes by the same; see ``beside_groups``."""
    frame, of = beside
    keys = ["pupil_id", "as_of"]
    protected = frame.select(keys).join(
        of.select(*keys, *(c for c in PROTECTED if c in of.columns)), on=keys, how="left", maintain_order="left"
    )
    found = proxies(
        matrix_of(frame, catalogue().names),
        catalogue().names,
        numbers(frame, "pupil_id"),
        protected,
        weight=weight_of(frame),
        importance=moved,
        seed=seed,
    )
    return [p.to_dict() for p in found]


def beside_groups(histories: Histories, question: Task, trained: Trained) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the snapshots of the judged days, and the groups of their children."""
    of: Any = pl.from_arrow(grouped(histories, trained.splits.test, question.rule))
    return trained.answers.frame.filter(trained.answers.judged), of
