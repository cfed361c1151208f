"""The scorer of a release: its booster, its ridge regression, or a weighted mean of both, with exact contributions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from histories.errors import Fault, Faults
from training.bundle import Manifest
from training.explanation.leaf_tables import LeafTables
from training.explanation.linear_terms import LinearTerms
from training.explanation.trees import read_forest


class Scorer(Protocol):
    """Margins of rows and their contributions (log-odds)."""

    @property
    def base(self) -> float:
        """The mean margin over the training data."""

    def margins(self, rows: np.ndarray) -> np.ndarray:
        """Return the margins, shape (rows,)."""

    def contributions(self, rows: np.ndarray) -> np.ndarray:
        """Return each feature's contribution, with the base as last column, shape (rows, features + 1)."""


class MeanScorer:
    """A weighted mean of several scorers; Shapley values are linear, so contributions are averaged alike.

    Parameters
    ----------
    parts : sequence of Scorer
    weights : sequence of float
        They sum to one.
    """

    def __init__(self, parts: Sequence[Scorer], weights: Sequence[float]) -> None:
        self.parts, self.weights = parts, weights
        self.base = float(sum(weight * part.base for part, weight in zip(parts, weights, strict=True)))

    def margins(self, rows: np.ndarray) -> np.ndarray:
        """Return the mean margins, shape (rows,)."""
        return weighted_mean([part.margins(rows) for part in self.parts], self.weights)

    def contributions(self, rows: np.ndarray) -> np.ndarray:
        """Return the mean contributions, with the base as last column, shape (rows, features + 1)."""
        return weighted_mean([part.contributions(rows) for part in self.parts], self.weights)


def weighted_mean(values: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Return the mean of arrays by weights that sum to one; training and serving both call it, so their margins are the same numbers."""
    whole = np.zeros_like(values[0])
    for weight, of_part in zip(weights, values, strict=True):
        whole += weight * of_part
    return whole


def scorer_of(booster: str, manifest: Manifest) -> Scorer:
    """Return the scorer of a release.

    Parameters
    ----------
    booster : str
        LightGBM's text; empty for a ridge regression alone.

    Raises
    ------
    Faults
        If a part of the model is missing or damaged.
    """
    where = f"model {manifest.name} {manifest.version}"
    parts: list[Scorer] = []
    for part in manifest.parts:
        if part == "ridge":
            parts.append(LinearTerms.read(manifest.ridge, manifest.features, where))
        else:
            forest = read_forest(booster, where)
            if forest.features != list(manifest.features):
                what = "the booster and the manifest name other features"
                raise Faults(Fault(what, where, "Take the model from the registry again."))
            parts.append(LeafTables(forest))
    return parts[0] if len(parts) == 1 else MeanScorer(parts, list(manifest.parts.values()))
