"""Partly known windows: what is known of an outcome window teaches before the whole window is known.

With a horizon of 364 days and outcomes known 60 days later, no whole window of the newest 424 days is known. The known part of such a
window is the same outcome with a shorter horizon. A child who went missing in it counts fully; another child's row has as its weight the
exposure: the share of outcomes that begin so early in a window. This is the likelihood of a Poisson model with exposure, which for rare
outcomes is that of a logistic one, so every candidate can learn from these rows and is explained and served as before.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from training.fitting.splits import Splits, known_before

# Days; shorter windows are known soon, and their parts changed nothing beyond noise (docs/measurements.md).
FROM_HORIZON = 180
MIN_DAYS = 28  # shortest known part that teaches
PRIOR_OUTCOMES = 5.0  # outcomes spread evenly over the window that are added to those seen, since those may be few


def known_part(window_days: pl.Expr, matured_on: pl.Expr, day: date) -> pl.Expr:
    """Return the days of a window that are known before a day, when the whole window is known after ``matured_on``."""
    return window_days - (matured_on - pl.lit(day)).dt.total_days() - 1


def learned_before(frame: pl.DataFrame, day: date) -> pl.DataFrame:
    """Return what can be learned before a day: whole windows, and the known parts of others if the frame says when outcomes were recorded.

    An outcome counts in a part only if it was recorded before the day. Children without it are taken from the labels as finally known, like
    those of whole windows: a leaving that was later corrected or followed by another entry counts as no outcome already.

    Parameters
    ----------
    frame : polars.DataFrame
        Labelled snapshots. With ``window_days, matured_on, happened_on, recorded_on`` (``Task.labels`` of a long horizon) parts of windows
        count; only outcomes recorded before the day are used.
    """
    whole = known_before(frame, day)
    if "matured_on" not in frame.columns:
        return whole
    days = known_part(pl.col("window_days"), pl.col("matured_on"), day)
    went = (pl.col("recorded_on") < day) & ((pl.col("happened_on") - pl.col("as_of")).dt.total_days() < days)
    went = went.fill_null(False)
    parts = frame.filter(_is_part(day)).with_columns(
        went.cast(pl.Float64).alias("label"),
        pl.when(went).then("happened_on").alias("happened_on"),
        pl.when(went).then("recorded_on").alias("recorded_on"),
        days.cast(pl.Int64).alias("window_days"),
    )
    return with_exposure(whole, parts)


def _is_part(day: date) -> pl.Expr:
    """Return whether only a part of a window is known before a day, and enough of it to teach."""
    days = known_part(pl.col("window_days"), pl.col("matured_on"), day)
    return (pl.col("as_of") < day) & (pl.col("matured_on") >= day) & (days >= MIN_DAYS)


def with_parts(splits: Splits, labels: pl.DataFrame, parts: pl.DataFrame) -> Splits:
    """Return the splits with the days of which only a part is learned from, at each origin and by the released model.

    Parameters
    ----------
    labels, parts : polars.DataFrame
        ``Task.labels`` and ``Task.partly_known``.
    """
    days = labels.select("as_of", "window_days", "matured_on").unique().sort("as_of")
    origins = [replace(o, partly=tuple(days.filter(_is_part(o.day))["as_of"])) for o in splits.origins]
    return replace(splits, origins=origins, later=parts["as_of"].unique().sort().to_list())


def with_exposure(whole: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """Add known parts of windows to whole windows, with their exposure as weight.

    Parameters
    ----------
    whole, parts : polars.DataFrame
        The same columns; the outcomes of ``whole`` show how early in a window outcomes begin, apart for children who had already stopped coming.

    Returns
    -------
    polars.DataFrame
        ``weight`` of a part without the outcome is multiplied by its exposure; ``known_on`` of parts is null, so that nobody takes them for
        whole windows.
    """
    onset = (pl.col("happened_on") - pl.col("as_of")).dt.total_days()
    outcomes = whole.filter(pl.col("label") == 1).select("already_stopping", onset.alias("onset"))
    exposure = np.ones(len(parts))
    days, stopping = parts["window_days"].to_numpy(), parts["already_stopping"].to_numpy()
    for group in (False, True):
        seen = outcomes.filter(pl.col("already_stopping") == group)["onset"].to_numpy()
        for part in np.unique(days[stopping == group]):
            rows = (stopping == group) & (days == part)
            exposure[rows] = share_begun(seen, np.ones(len(seen)), int(part), int(whole["window_days"].max()))  # type: ignore[arg-type]
    exposure[parts["label"].to_numpy() == 1] = 1.0
    parts = parts.with_columns(pl.col("weight") * exposure, pl.lit(None, pl.Date).alias("known_on"))
    return pl.concat([whole, parts.select(whole.columns)])


def share_begun(onset: np.ndarray, counts: np.ndarray, part: int, horizon: int) -> float:
    """Return the share of outcomes that begin in the first days of a window; each counts for as many as it stands for."""
    early = float(counts[onset < part].sum()) + PRIOR_OUTCOMES * part / horizon
    return early / (float(counts.sum()) + PRIOR_OUTCOMES)
