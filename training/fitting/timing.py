"""When children go missing: what turns the risk of a model, taught at one horizon, into its risk at any other.

A child's cumulative hazard by a day is its hazard at the model's horizon times a share that depends on that day alone, and on whether the child had
already stopped coming. So the risks of all horizons agree: none falls as the window grows, and at the model's horizon it is the model's. The shares are
occurrences over exposure, interval by interval (piecewise constant hazards, Holford 1980), so a window that is known in part teaches its
first intervals. Who leaves otherwise stays at risk and does not go missing (Fine and Gray 1999), as in the labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from features.outcome.stopping import ACT_TODAY, HELP_EARLY
from histories.errors import Faults
from histories.reading.histories import Histories
from training.explanation.within import risk_within
from training.fitting.helped import AS_THEY_CAME
from training.fitting.partial_windows import PRIOR_OUTCOMES
from training.fitting.rolling_origin import Predictions
from training.labeller import Labeller
from training.task import Task

DAYS = (14, 28, 56, 91, 120, 182, 364)  # ends of the intervals; the model's horizon is another
LISTS: dict[str, bool] = {ACT_TODAY: True, HELP_EARLY: False}  # whether the children had already stopped coming
KEY = ["pupil_id", "as_of"]
Timing: TypeAlias = dict[str, dict[str, float]]
Learn: TypeAlias = Callable[[pl.DataFrame, int, date], Timing]


def followed(task: Task, histories: Histories, frame: pl.DataFrame, labeller: Labeller) -> pl.DataFrame:
    """Return when each child of a frame went missing, and when that was known.

    Parameters
    ----------
    frame : polars.DataFrame
        ``Task.labelled``, of windows that are known whole.
    labeller : Labeller
        Of the same histories and task.

    Returns
    -------
    polars.DataFrame
        ``pupil_id, as_of, already_stopping, weight``; ``onset``, the days until the child went missing, null if it did not; and ``known_120`` and so on, the day on which
        a window of that length was known, of the horizon and of each longer one in ``DAYS``. Longer windows are followed only of outcomes as they
        came, since the other ways of handling help (``fitting.helped``) are for short ones.
    """
    weight = "weight" if "weight" in frame.columns else pl.lit(1.0).alias("weight")
    rows = frame.select(*KEY, "already_stopping", weight, *_window(task.horizon))
    longer = [d for d in DAYS if d > task.horizon] if task.helped == AS_THEY_CAME else []
    for days in longer:
        try:
            labels = labeller.labels(replace(task, horizon=days))
        except Faults:  # no window of that length is known yet
            break
        rows = rows.join(
            labels.select(*KEY, *_window(days)), on=KEY, how="left", maintain_order="left", suffix="_later"
        )
        rows = rows.with_columns(pl.coalesce("onset", "onset_later").alias("onset")).drop("onset_later")
    return rows


def _window(days: int) -> tuple[pl.Expr, pl.Expr]:
    onset = (pl.col("happened_on") - pl.col("as_of")).dt.total_days().alias("onset")
    return onset, pl.col("known_on").alias(f"known_{days}")


def timing(rows: pl.DataFrame, horizon: int, day: date | None = None) -> Timing:
    """Learn how the hazard runs over time, apart for children who had already stopped coming.

    Parameters
    ----------
    rows : polars.DataFrame
        The result of ``followed``.
    horizon : int
        The model's, in days.
    day : date, optional
        Use only what was known before it.

    Returns
    -------
    dict
        By list, and by days as text, the cumulative hazard by then as a share of that at the horizon. ``PRIOR_OUTCOMES`` at an even rate are added to
        those seen. It ends with the longest window of which any is known.
    """
    until = day or date.max
    return {
        name: _shares(rows.filter(pl.col("already_stopping") == stopping), horizon, until)
        for name, stopping in LISTS.items()
    }


def _shares(rows: pl.DataFrame, horizon: int, until: date) -> dict[str, float]:
    onset = rows["onset"].cast(pl.Float64).fill_null(np.inf).to_numpy()
    weight = rows["weight"].to_numpy()
    whole = _known(rows, horizon, until)
    base = weight[whole & (onset < horizon)].sum() / max(weight[whole].sum(), 1.0)  # the rate at the horizon
    total, by = 0.0, {}
    for begin, end in pairwise((0, *sorted({*DAYS, horizon}))):
        known = _known(rows, max(end, horizon), until)
        if end > horizon and not known.any():
            break
        at_risk = known & (onset >= begin)
        prior = PRIOR_OUTCOMES * (end - begin) / horizon
        total += (weight[at_risk & (onset < end)].sum() + prior) / (weight[at_risk].sum() * base + PRIOR_OUTCOMES)
        by[end] = total
    return {str(days): share / by[horizon] for days, share in by.items()}


def _known(rows: pl.DataFrame, days: int, until: date) -> np.ndarray:
    """Return the rows of which a window of so many days was known before a day."""
    if f"known_{days}" not in rows.columns:
        return np.zeros(len(rows), bool)
    return (rows[f"known_{days}"] < until).fill_null(value=False).to_numpy()


def expected_and_came(
    predictions: Predictions, chosen: str, rows: pl.DataFrame, horizon: int, learn: Learn = timing
) -> list[dict[str, Any]]:
    """Compare how many of each list were expected to go missing by each day with how many did, on the test dates.

    At each date the calibration and the timing are those of what was known before it.

    Parameters
    ----------
    predictions : Predictions
    chosen : str
        The candidate.
    rows : polars.DataFrame
        The result of ``followed``.
    learn : callable
        ``timing``, or what is compared with it.

    Returns
    -------
    list of dict
        ``list, days, snapshots, expected, came``, where the window is known by now.
    """
    risk = predictions.risk(chosen)
    own = predictions.frame.select(KEY).join(rows, on=KEY, how="left", maintain_order="left")
    counts: dict[tuple[str, int], np.ndarray] = {}
    for origin in np.unique(predictions.origin[predictions.judged & ~np.isnan(risk)]):
        of_day = predictions.origin == origin
        day = own["as_of"][int(np.flatnonzero(of_day)[0])]
        for name, shares in learn(rows.filter(pl.col("as_of") < day), horizon, day).items():
            mine = of_day & (own["already_stopping"].to_numpy() == LISTS[name])
            for days in map(int, shares):
                at = mine & _known(own, max(days, horizon), date.max)
                weight = own["weight"].to_numpy()[at]
                went = own["onset"].fill_null(days).to_numpy()[at] < days
                seen = (weight.sum(), weight @ risk_within(risk[at], shares, days), weight @ went)
                counts[name, days] = counts.get((name, days), np.zeros(3)) + seen
    keys = ("snapshots", "expected", "came")
    return [
        {"list": name, "days": days, **dict(zip(keys, map(float, values), strict=True))}
        for (name, days), values in sorted(counts.items())
    ]
