"""A candidate: a model that is trained on one matrix and orders the rows of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
    as_of, known_on : datetime64[D] array, shape (rows,), optional
        The day of each row, and the day on which its outcome was known; None where there is no order in time.
    binned : dict
        LightGBM's data set of the rows, made once for all boosters that can share it; see ``boosted.binned``.
    """

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    names: list[str]
    seed: int
    as_of: np.ndarray | None = None
    known_on: np.ndarray | None = None
    binned: dict[int, Any] = field(default_factory=dict, repr=False, compare=False)

    def columns(self, names: list[str]) -> list[int]:
        """Return the column indices of some features, in the order of the columns."""
        return [i for i, n in enumerate(self.names) if n in set(names)]

    def rows(self, chosen: np.ndarray) -> Learning:
        """Return a subset of the rows."""
        return Learning(
            x=self.x.T[:, chosen].T,  # one feature after another in memory, as the whole
            y=self.y[chosen],
            weight=self.weight[chosen],
            names=self.names,
            seed=self.seed,
            as_of=None if self.as_of is None else self.as_of[chosen],
            known_on=None if self.known_on is None else self.known_on[chosen],
        )

    def with_columns(self, kept: list[int]) -> Learning:
        """Return some columns."""
        return replace(self, x=self.x[:, kept], names=[self.names[i] for i in kept], binned={})

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


Learn = Callable[[Learning], Scorer]


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
        The settings, if the candidate can become a version (its scores can be explained exactly); None for baselines.
    mean_of : mapping of str to float
        The candidates whose margins it averages, with their weights, which sum to one.
    side_by_side : bool
        Whether it uses one thread, so that several can be trained in parallel.
    """

    name: str
    title: str
    learn: Learn
    settings: dict[str, Any] | None = None
    mean_of: Mapping[str, float] = field(default_factory=dict)
    side_by_side: bool = False
