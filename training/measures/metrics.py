"""Figures of a list: average precision, and what is found among the first, with ties told apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl


class Found(NamedTuple):
    """How many of the outcome are among the first k when ties are broken at the worst, on average and at the best."""

    worst: float
    expected: float
    best: float


def average_precision(score: np.ndarray, label: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Return the weighted average precision, ties taken together (as in scikit-learn).

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
    """Return the average precision of rows that are already in order, the highest first."""
    last = np.r_[score[1:] != score[:-1], True] if len(score) else np.zeros(0, bool)
    found, seen = np.cumsum(weight * label)[last], np.cumsum(weight)[last]
    total = found[-1] if len(found) else 0.0
    if total == 0:
        return float("nan")
    precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
    return float((np.diff(np.r_[0.0, found]) * precision).sum() / total)


def found_within(score: np.ndarray, label: np.ndarray, k: float, weight: np.ndarray | None = None) -> Found:
    """Count the outcome among the k highest scores.

    Parameters
    ----------
    score, label : float arrays, shape (rows,)
    k : float
        Snapshots looked at.
    weight : float array, optional
        How many snapshots each row stands for.

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
    sure, room = float(weight[above] @ label[above]), k - float(weight[above].sum())
    there, many = float(weight[level] @ label[level]), float(weight[level].sum())
    return Found(sure + max(0.0, room - (many - there)), sure + there / many * room, sure + min(there, room))


def numbers(frame: pl.DataFrame, *columns: str) -> np.ndarray:
    """Number the different values of some columns from 0, shape (rows,)."""
    return frame.select(pl.struct(*columns).rank("dense")).to_series().to_numpy().astype(int) - 1


def share_listed(
    score: np.ndarray, list_of: np.ndarray, k: float, seed: int = 0, weight: np.ndarray | None = None
) -> np.ndarray:
    """Return how much of each row is among the k highest of its list, ties broken by a seeded draw.

    That is all or nothing, but for a row that stands for several snapshots of which only the first find room.

    Parameters
    ----------
    score : float array, shape (rows,)
    list_of : int array, shape (rows,)
        The number of each row's list.
    k : float
        Snapshots a list, or below 1 the share of each list.
    weight : float array, optional
        How many snapshots each row stands for.

    Returns
    -------
    float array, shape (rows,)
        From 0 to 1.
    """
    weight = np.ones(len(score)) if weight is None else weight
    draw = np.random.Generator(np.random.PCG64(seed)).random(len(score))
    order = np.lexsort((draw, -score, list_of))
    size = np.bincount(list_of, weights=weight)
    # The weight that stands before each row on its list.
    before = np.cumsum(weight[order]) - weight[order] - np.r_[0.0, np.cumsum(size)[:-1]][list_of[order]]
    room = (np.round(size * k)[list_of[order]] if k < 1 else k) - before
    share = np.zeros(len(score))
    share[order] = np.where(room > 1e-9, np.minimum(room / weight[order], 1.0), 0.0)
    return share


def listed(
    score: np.ndarray, list_of: np.ndarray, k: float, seed: int = 0, weight: np.ndarray | None = None
) -> np.ndarray:
    """Return which rows are among the k highest of their list at all, shape (rows,); see ``share_listed``."""
    return share_listed(score, list_of, k, seed, weight) > 0
