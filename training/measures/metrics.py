"""Metrics of a list: average precision and the outcomes among the first, with exact handling of ties."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import polars as pl


class Found(NamedTuple):
    """Number of outcomes among the first k with ties broken at worst, on average and at best."""

    worst: float
    expected: float
    best: float


def average_precision(score: np.ndarray, label: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Return the weighted average precision, with ties taken together (as in scikit-learn).

    Parameters
    ----------
    score, label, weight : float arrays, shape (rows,)

    Examples
    --------
    >>> round(average_precision(np.array([3.0, 2.0, 1.0]), np.array([1.0, 0.0, 1.0])), 4)
    0.8333
    """
    order = np.argsort(-score, kind="stable")
    return ordered_precision(score[order], label[order], np.ones(len(order)) if weight is None else weight[order])


def ordered_precision(score: np.ndarray, label: np.ndarray, weight: np.ndarray) -> float:
    """Return the average precision of rows sorted from the highest score."""
    last = np.r_[score[1:] != score[:-1], True] if len(score) else np.zeros(0, bool)
    hits, seen = np.cumsum(weight * label)[last], np.cumsum(weight)[last]
    total = hits[-1] if len(hits) else 0.0
    if total == 0:
        return float("nan")
    precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
    return float((np.diff(np.r_[0.0, hits]) * precision).sum() / total)


def resampled_precision(score: np.ndarray, label: np.ndarray, weights: Iterable[np.ndarray]) -> np.ndarray:
    """Return the average precision of rows sorted from the highest score with each of several weights, shape (weights,); see ``ordered_precision``.

    Precision is needed where an outcome is, which is at few rows.
    """
    hits = np.flatnonzero(label == 1)
    ends = np.searchsorted(-score, -score[hits], side="right") - 1  # the last row tied with each hit
    last_hits = np.searchsorted(hits, ends, side="right") - 1

    def precision(weight: np.ndarray) -> float:
        positives = weight[hits]
        total = positives.sum()
        if total == 0:
            return float("nan")
        seen = np.cumsum(weight)[ends]
        shares = np.divide(np.cumsum(positives)[last_hits], seen, out=np.zeros(len(hits)), where=seen > 0)
        return float(positives @ shares / total)

    return np.array([precision(weight) for weight in weights])


def found_within(score: np.ndarray, label: np.ndarray, k: float, weight: np.ndarray | None = None) -> Found:
    """Count the outcomes among the k highest scores.

    Parameters
    ----------
    score, label : float arrays, shape (rows,)
    k : float
        Number of snapshots.
    weight : float array, optional
        Weight of each row.

    Examples
    --------
    >>> found_within(np.array([2.0, 1.0, 1.0]), np.array([1.0, 1.0, 0.0]), 2)
    Found(worst=1.0, expected=1.5, best=2.0)
    >>> found_within(np.array([2.0, 1.0]), np.array([1.0, 0.0]), 5, np.array([1.0, 10.0]))
    Found(worst=1.0, expected=1.0, best=1.0)
    """
    weight = np.ones(len(score)) if weight is None else weight
    k = min(float(k), float(weight.sum()))
    if k <= 0:
        return Found(0.0, 0.0, 0.0)
    order = np.argsort(-score, kind="stable")
    threshold = score[order[np.searchsorted(np.cumsum(weight[order]), k * (1 - 1e-12))]]
    above, level = score > threshold, score == threshold
    certain, room = float(weight[above] @ label[above]), k - float(weight[above].sum())
    tied_hits, tied = float(weight[level] @ label[level]), float(weight[level].sum())
    return Found(
        certain + max(0.0, room - (tied - tied_hits)),
        certain + tied_hits / tied * room,
        certain + min(tied_hits, room),
    )


def numbers(frame: pl.DataFrame, *columns: str) -> np.ndarray:
    """Return the index of each row's combination of values, from 0, shape (rows,)."""
    return frame.select(pl.struct(*columns).rank("dense")).to_series().to_numpy().astype(int) - 1


def share_listed(
    score: np.ndarray, list_of: np.ndarray, k: float, seed: int = 0, weight: np.ndarray | None = None
) -> np.ndarray:
    """Return the share of each row among the k highest of its list, with ties broken by a seeded draw.

    The share is 0 or 1, except for a weighted row that only partly fits.

    Parameters
    ----------
    score : float array, shape (rows,)
    list_of : int array, shape (rows,)
        Index of each row's list.
    k : float
        Snapshots on each list, or a share of it (below 1).
    weight : float array, optional
        Weight of each row.

    Returns
    -------
    float array, shape (rows,)
        From 0 to 1.
    """
    weight = np.ones(len(score)) if weight is None else weight
    draw = np.random.Generator(np.random.PCG64(seed)).random(len(score))
    order = np.lexsort((draw, -score, list_of))
    size = np.bincount(list_of, weights=weight)
    # Weight before each row on its list.
    before = np.cumsum(weight[order]) - weight[order] - np.r_[0.0, np.cumsum(size)[:-1]][list_of[order]]
    room = (np.round(size * k)[list_of[order]] if k < 1 else k) - before
    share = np.zeros(len(score))
    share[order] = np.where(room > 1e-9, np.minimum(room / weight[order], 1.0), 0.0)
    return share


def listed(
    score: np.ndarray, list_of: np.ndarray, k: float, seed: int = 0, weight: np.ndarray | None = None
) -> np.ndarray:
    """Return which rows are at least partly among the k highest of their list, shape (rows,); see ``share_listed``."""
    return share_listed(score, list_of, k, seed, weight) > 0
