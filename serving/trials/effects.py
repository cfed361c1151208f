"""The effect of help by intention to treat: a randomisation test over units, and a cluster-robust interval.

The test redraws the lot as it was drawn and counts how often the difference is as large: its size holds for any outcome, however rare
(Fisher 1935; Gail and others 1996 for groups). The interval is the difference of two ratio means with Taylor-linearised variances
between units (Cochran 1977), with Student's t. Both work on many worlds at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.measures.intervals import Z

DRAWS = 1999
LEVEL = 0.05


@dataclass(frozen=True, kw_only=True)
class Effects:
    """The effect in each world.

    Attributes
    ----------
    help_now, usual : float arrays, shape (worlds,)
        Means of the children in each arm.
    low, high : float arrays, shape (worlds,)
        95% interval of the difference; NaN if an arm has fewer than two units with children.
    p : float array, shape (worlds,)
        Two-sided p of the randomisation test.
    """

    help_now: np.ndarray
    usual: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        """The mean with help now, minus the usual mean."""
        return self.help_now - self.usual


def effects(arm: np.ndarray, total: np.ndarray, children: np.ndarray, seed: int, draws: int = DRAWS) -> Effects:
    """Estimate and test the effect of help in many worlds of the same units.

    Parameters
    ----------
    arm : bool array, shape (units, worlds)
        Whether a unit is helped now.
    total : float array, shape (units, worlds)
        Sum of the outcome over a unit's children with a known outcome.
    children : float array, shape (units,)
        How many those are.
    seed : int
        Of the redrawn lots.
    draws : int
        Number of redrawn lots.
    """
    help_now, usual, error, df = _means(arm, total, children)
    rng = np.random.Generator(np.random.PCG64(seed))
    lots = (rng.random((draws, len(children))) < 0.5).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        on = lots @ children
        helped = lots @ total
        redrawn = helped / on[:, None] - (total.sum(0) - helped) / (children.sum() - on)[:, None]
    difference = help_now - usual
    # Equal differences must count as equal, whatever the order of their sums.
    as_large = np.abs(redrawn) >= np.abs(difference) - 1e-12
    p = (1 + as_large.sum(0)) / (draws + 1)
    half = _student(df) * error
    return Effects(help_now=help_now, usual=usual, low=difference - half, high=difference + half, p=p)


def _means(
    arm: np.ndarray, total: np.ndarray, children: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return both arms' means, the standard error of their difference, and its degrees of freedom."""
    means, variance, units = [], np.zeros(arm.shape[1]), np.zeros(arm.shape[1])
    for of in (arm, ~arm):
        with np.errstate(invalid="ignore", divide="ignore"):
            n = (of * children[:, None]).sum(0)
            mean = (of * total).sum(0) / n
            residual = of * (total - mean * children[:, None])
            k = (of & (children[:, None] > 0)).sum(0)
            variance = variance + np.where(k > 1, k / (k - 1), np.nan) * (residual**2).sum(0) / n**2
        means.append(mean)
        units = units + k
    return means[0], means[1], np.sqrt(variance), np.maximum(units - 2, 1)


def _student(df: np.ndarray) -> np.ndarray:
    """Return the 97.5% point of Student's t, by the Cornish-Fisher expansion (Abramowitz and Stegun 26.7.5); from 18 on right to 0.0001.

    Examples
    --------
    >>> print(_student(np.array([18.0])).round(3))
    [2.101]
    """
    first, second = (Z**3 + Z) / 4, (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96
    third = (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384
    return Z + first / df + second / df**2 + third / df**3
