"""A candidate: a model that is trained on one matrix and orders the rows of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

# Margins of a matrix: float64, shape (rows,); higher is riskier.
Scorer = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Learning:
    """A candidate's training data.

    Attributes
    ----------
    x : float64 array, shape (rows, features)
        Missing is NaN.
    y : float array of 0 and 1, shape (rows,)
    weight : float array, shape (rows,)
        Weight of each row: the number of snapshots it represents.
    names : list of str
        Names of the columns.
    seed : int
    """

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    names: list[str]
    seed: int

    def columns(self, names: list[str]) -> list[int]:
        """Return the column indices of some features, in the order of the columns."""
        return [i for i, n in enumerate(self.names) if n in set(names)]

    def rows(self, chosen: np.ndarray) -> Learning:
        """Return a subset of the rows."""
        return Learning(
            x=self.x[chosen], y=self.y[chosen], weight=self.weight[chosen], names=self.names, seed=self.seed
        )

    def with_fewer_negatives(self, negatives: int) -> Learning:
        """Keep all rows with the outcome and at most so many of the others, reweighted to represent all of them."""
        without = np.flatnonzero(self.y == 0)
        if len(without) <= negatives:
            return self
        rng = np.random.Generator(np.random.PCG64(self.seed))
        drawn = np.sort(rng.choice(without, negatives, replace=False))
        subset = self.rows(np.sort(np.r_[np.flatnonzero(self.y == 1), drawn]))
        scale = float(self.weight[without].sum() / self.weight[drawn].sum())
        subset.weight[subset.y == 0] *= scale
        return subset


@dataclass(frozen=True)
class Candidate:
    """A kind of model to compare.

    Attributes
    ----------
    name : str
    title : str
        Its name in the report.
    learn : callable
        Takes ``Learning``, returns a ``Scorer``.
    settings : dict or None
        The booster's settings, if the candidate can become a version (its scores can be explained exactly); None for baselines.
    """

    name: str
    title: str
    learn: Callable[[Learning], Scorer]
    settings: dict[str, Any] | None = None
