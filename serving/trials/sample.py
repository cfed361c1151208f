"""The children who take part, as simulations need them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The children who take part.

    Attributes
    ----------
    unit : int array, shape (children,)
        Index of each child's unit.
    risk : float array, shape (children,)
        Of the list.
    excepted : bool array, shape (children,)
        Helped in all arms: a safety exception when the trial starts.
    due : float array, shape (children,), optional
        The day on which the first duty that runs is due, infinite without one; for orders only.
    """

    unit: np.ndarray
    risk: np.ndarray
    excepted: np.ndarray
    due: np.ndarray | None = None


def quantiles(chances: np.ndarray) -> np.ndarray:
    """Return the quantile of the standard normal distribution at each chance."""
    normal = NormalDist()
    return np.array([normal.inv_cdf(chance) for chance in chances])
