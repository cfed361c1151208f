"""Exact explanations of a linear model: a feature's contribution is its coefficient times its distance from the mean.

These are the Shapley values of a linear model with independent features (Štrumbelj and Kononenko 2014). The effect of a missing value,
which has a separate coefficient, belongs to its feature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from histories.errors import Fault, Faults

LISTS = ("low", "high", "centre", "slope", "missing", "mean")


@dataclass(frozen=True, kw_only=True)
class LinearTerms:
    """One term per feature, in the order of the model's columns: ``slope * (value - centre)``, or ``missing`` if there is no value.

    Attributes
    ----------
    intercept : float
    low, high : tuple of float
        The lowest and highest training values; values beyond them are clipped.
    centre, slope, missing : tuple of float
        The terms, in log-odds.
    mean : tuple of float
        The mean of each term over the training data.
    strength : float
        The prior variance of a standardised coefficient used in fitting (``C`` in scikit-learn).
    """

    intercept: float
    low: tuple[float, ...]
    high: tuple[float, ...]
    centre: tuple[float, ...]
    slope: tuple[float, ...]
    missing: tuple[float, ...]
    mean: tuple[float, ...]
    strength: float

    @classmethod
    def read(cls, stored: Mapping[str, Any], features: Sequence[str], where: str = "manifest.json") -> LinearTerms:
        """Rebuild the terms from the result of ``stored``.

        Raises
        ------
        Faults
            If they are incomplete.
        """
        try:
            lists = {name: tuple(map(float, stored[name])) for name in LISTS}
            terms = cls(intercept=float(stored["intercept"]), strength=float(stored["strength"]), **lists)
        except (KeyError, TypeError, ValueError):
            lists = {}
        if any(len(values) != len(features) or not np.isfinite(values).all() for values in lists.values()) or not lists:
            what = "the coefficients of the ridge regression are missing or damaged"
            raise Faults(Fault(what, where, "Take the model from the registry again."))
        return terms

    def stored(self) -> dict[str, Any]:
        """Return JSON-ready terms at full precision."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @property
    def base(self) -> float:
        """The mean margin over the training data."""
        return self.intercept + float(np.sum(self.mean))

    def margins(self, rows: np.ndarray) -> np.ndarray:
        """Return the margins of rows (log-odds); a row's margin does not depend on the other rows."""
        return self.intercept + self._terms(rows).sum(axis=1)

    def contributions(self, rows: np.ndarray) -> np.ndarray:
        """Return each feature's contribution to each row's margin, with the base as last column, shape (rows, features + 1).

        Parameters
        ----------
        rows : float array, shape (rows, features)
            NaN is missing.
        """
        parts = np.empty((len(rows), len(self.slope) + 1))
        parts[:, :-1] = self._terms(rows)
        parts[:, :-1] -= np.array(self.mean)
        parts[:, -1] = self.base
        return parts

    def _terms(self, rows: np.ndarray) -> np.ndarray:
        terms = np.clip(np.ascontiguousarray(rows, dtype=np.float64), self.low, self.high)
        terms -= np.array(self.centre)
        terms *= np.array(self.slope)
        return np.where(np.isnan(terms), np.array(self.missing), terms)
