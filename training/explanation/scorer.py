"""The scorer of a release: its booster, its ridge regression, or the mean of both, with exact contributions."""

from __future__ import annotations

from typing import Protocol

import numpy as np

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
    """The mean of several scorers; Shapley values are linear, so contributions are averaged too."""

    def __init__(self, parts: list[Scorer]) -> None:
        self.parts = parts
        self.base = float(np.mean([part.base for part in parts]))

    def margins(self, rows: np.ndarray) -> np.ndarray:
        """Return the mean margins, shape (rows,)."""
        return np.mean([part.margins(rows) for part in self.parts], axis=0)

    def contributions(self, rows: np.ndarray) -> np.ndarray:
        """Return the mean contributions, with the base as last column, shape (rows, features + 1)."""
        return np.mean([part.contributions(rows) for part in self.parts], axis=0)


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
            parts.append(LeafTables(read_forest(booster, where)))
    return parts[0] if len(parts) == 1 else MeanScorer(parts)
