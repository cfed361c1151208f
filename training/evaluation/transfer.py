"""Transfer: performance in authorities outside the training data, and the learning curve over authorities."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from features.catalogue import catalogue
from training.fitting.partial_windows import learned_before
from training.fitting.rolling_origin import learn_from, matrix_of, weight_of
from training.measures.metrics import average_precision
from training.pipeline import Trained
from training.task import ProgressCallback, quiet


def leave_one_out(trained: Trained, seed: int, advance: ProgressCallback = quiet) -> dict[str, dict[str, Any]]:
    """Return, by authority, the average precision of a model trained on all others and of the model trained on all.

    Evaluated at the newest judged origins. Authorities in which no child went missing are left out; empty if there is one authority.
    """
    days = trained.splits.test[-2:]
    ahead = trained.frame.filter(pl.col("as_of").is_in(days))
    past = learned_before(trained.frame, days[0])
    everybody = trained.learn(learn_from(past, catalogue().names, seed))
    figures = {}
    for (authority,), rows in sorted(ahead.group_by("authority"), key=lambda pair: str(pair[0])):
        others = past.filter(pl.col("authority") != authority)
        if not rows["label"].sum() or not others["label"].sum():
            continue
        advance(description=f"without authority {authority}")
        stranger = trained.learn(learn_from(others, catalogue().names, seed))
        x, y, w = matrix_of(rows, catalogue().names), rows["label"].to_numpy(), weight_of(rows)
        figures[str(authority)] = {
            "positives": int(y.sum()),
            "snapshots": round(float(w.sum())),
            "average_precision": average_precision(stranger(x), y, w),
            "with_its_own_past": average_precision(everybody(x), y, w),
        }
    return figures


def learning_curve(trained: Trained, seed: int, advance: ProgressCallback = quiet) -> list[dict[str, Any]]:
    """Return the learning curve: average precision by number of training authorities, or by share of pupils if there is one authority.

    The subsets are drawn by seed and nested, each half of the next. All models are evaluated at the newest judged origin.
    """
    day = trained.splits.test[-1]
    ahead, past = trained.frame.filter(pl.col("as_of") == day), learned_before(trained.frame, day)
    unit = "authority" if past["authority"].n_unique() > 1 else "pupil_id"
    units = past[unit].unique().sort().to_numpy()
    units = units[np.random.Generator(np.random.PCG64(seed)).permutation(len(units))]
    x, y, w = matrix_of(ahead, catalogue().names), ahead["label"].to_numpy(), weight_of(ahead)
    points: list[dict[str, Any]] = []
    many = len(units)
    while many >= 1 and len(points) < 4:
        part = past.filter(pl.col(unit).is_in(units[:many].tolist()))
        if part["label"].sum() < 2:
            break
        advance(description=f"learning from {many} of {len(units)}")
        margins = trained.learn(learn_from(part, catalogue().names, seed))
        points.append(
            {
                "of": "authorities" if unit == "authority" else "pupils",
                "number": many,
                "positives": int(part["label"].sum()),
                "average_precision": average_precision(margins(x), y, w),
            }
        )
        many //= 2
    return points[::-1]
