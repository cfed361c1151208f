"""Where the ridge regression may bend: pieces of the features that tell most, with their ends where the outcomes are.

A straight line says that the last ten days of absence weigh as much as the first ten. Trees tell children who have already stopped coming apart
because they may saturate; with pieces a line may too, and the model stays a sum of one term per feature, explained as exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from training.fitting.candidates.candidate import Learning

CURVED = (
    15  # features that bend: with all of them fewer are found among children not yet stopping (docs/measurements.md)
)
PIECES = 7


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """The pieces of all features that bend, each feature's together: a value counts from a piece's start to its end, standardised.

    Attributes
    ----------
    knots : tuple of tuple of float
        For each feature the ends of its pieces, from its lowest to its highest value; empty for one that does not bend.
    column : int array, shape (pieces,)
        The feature of each piece.
    start, end : float array, shape (pieces,)
    centre : float array, shape (pieces,)
        The mean of what counts.
    factor : float array, shape (pieces,)
        One over its standard deviation, with the sign of the feature's direction; zero if it is constant.
    """

    knots: tuple[tuple[float, ...], ...]
    column: np.ndarray
    start: np.ndarray
    end: np.ndarray
    centre: np.ndarray
    factor: np.ndarray

    @classmethod
    def of(cls, learning: Learning, centre: np.ndarray, scale: np.ndarray, sign: np.ndarray) -> Pieces:
        """Choose the pieces.

        Parameters
        ----------
        centre, scale, sign : float array, shape (features,)
            Mean, standard deviation (0 if constant) and direction of each feature.
        """
        knots: list[tuple[float, ...]] = [()] * len(learning.names)
        for feature in most_telling(learning, centre, scale):
            knots[feature] = _knots(learning, feature)
        ends = [(feature, *piece) for feature, of_feature in enumerate(knots) for piece in pairwise(of_feature)]
        moments = [
            mean_and_spread(np.clip(learning.x[:, feature], start, end) - start, learning.weight)
            for feature, start, end in ends
        ]
        column, start, end = np.ascontiguousarray(np.array(ends, float).reshape(-1, 3).T)
        mean, spread = np.ascontiguousarray(np.array(moments, float).reshape(-1, 2).T)
        column = column.astype(int)
        factor = np.divide(sign[column], spread, out=np.zeros(len(spread)), where=spread > 0)
        return cls(knots=tuple(knots), column=column, start=start, end=end, centre=mean, factor=factor)

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What the loop that writes the pieces of rows reads; see ``standardise.write_columns``."""
        return self.column, self.start, self.end, self.centre, self.factor

    def added(self, coefficients: np.ndarray) -> tuple[tuple[float, ...], ...]:
        """Return for each feature what the coefficients of the pieces add to its slope on each piece."""
        slopes = coefficients * self.factor
        return tuple(tuple(slopes[self.column == feature].tolist()) for feature in range(len(self.knots)))

    def means(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the mean of what the pieces add to each feature's term where it has a value, shape (features,)."""
        return np.bincount(self.column, coefficients * self.factor * self.centre, len(self.knots))


def most_telling(learning: Learning, centre: np.ndarray, scale: np.ndarray) -> list[int]:
    """Return the features whose mean among rows with the outcome is furthest from that of all rows, in standard deviations."""
    went = learning.y == 1
    values, weight = learning.x[went], learning.weight[went]
    distance = np.divide(values - centre, scale, out=np.zeros_like(values), where=scale > 0)
    told = np.abs((np.nan_to_num(distance) * weight[:, None]).sum(axis=0))
    order = np.argsort(-np.round(told, 6), kind="stable")[:CURVED]  # rounded: the last digits of a sum decide nothing
    return sorted(feature for feature in order.tolist() if told[feature] > 0)


def _knots(learning: Learning, feature: int) -> tuple[float, ...]:
    """Return the ends of a feature's pieces: quantiles of its values among rows with the outcome, since half of all values are often zero."""
    values = learning.x[:, feature]
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    of_outcomes = values[(learning.y == 1) & ~np.isnan(values)]
    inner = np.unique(np.quantile(of_outcomes, np.arange(1, PIECES) / PIECES))
    return (low, *inner[(inner > low) & (inner < high)].tolist(), high)


def mean_and_spread(values: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation of the values that are not missing."""
    present = ~np.isnan(values)
    values, weight = values[present], weight[present]
    mean = float(np.average(values, weights=weight))
    return mean, float(np.sqrt(np.average((values - mean) ** 2, weights=weight)))
