"""A model's risk within fewer or more days than its horizon; how the shares are learned is told in ``training.fitting.timing``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from features.outcome.stopping import ACT_TODAY, HELP_EARLY
from histories.errors import Fault, Faults


def share_by(shares: Mapping[str, float], days: int) -> float:
    """Return the cumulative hazard by a day as a share of that at the horizon; straight between the days that were learned.

    Raises
    ------
    Faults
        If the model does not know that many days.

    Examples
    --------
    >>> share_by({"14": 0.1, "28": 0.3, "120": 1.0}, 21), share_by({"14": 0.1, "28": 0.3, "120": 1.0}, 7)
    (0.2, 0.05)
    """
    ends = sorted(map(int, shares))
    if not ends:
        raise Faults(Fault("the model was trained before timing was learned", "days", "Train a new version."))
    if not 1 <= days <= ends[-1]:
        do = f"Give 1 to {ends[-1]}: no longer window was known when the model was trained."
        raise Faults(Fault(f"the model knows no risk within {days:,} days", "days", do))
    return float(np.interp(days, [0, *ends], [0.0, *(shares[str(end)] for end in ends)]))


def risk_within(risk: np.ndarray, shares: Mapping[str, float], days: int) -> np.ndarray:
    """Return the risks of going missing within some days, of children of one list.

    Parameters
    ----------
    risk : float array
        At the model's horizon.
    shares : mapping
        The list's, by days (``training.fitting.timing.timing``).
    days : int

    Raises
    ------
    Faults
        As ``share_by``.

    Examples
    --------
    >>> risk_within(np.array([0.0, 0.19, 1.0]), {"60": 0.5, "120": 1.0}, 60).tolist()
    [0.0, 0.1, 1.0]
    """
    with np.errstate(divide="ignore"):  # a risk of 1 is one at any day
        return -np.expm1(share_by(shares, days) * np.log1p(-risk))


def risks_within(
    timing: Mapping[str, Mapping[str, float]], risk: np.ndarray, lists: Sequence[str | None], days: int
) -> np.ndarray:
    """Return the risks of scores within fewer or more days than the model's horizon.

    Parameters
    ----------
    timing : mapping
        The manifest's, empty of a version from before it was learned.
    risk : float array, shape (scores,)
    lists : sequence of str
        The list of each score.
    days : int

    Returns
    -------
    float array, shape (scores,)

    Raises
    ------
    Faults
        As ``share_by``.
    """
    early = np.array([name != ACT_TODAY for name in lists], bool)
    of_each = (risk_within(risk, timing.get(name, {}), days) for name in (HELP_EARLY, ACT_TODAY))
    return np.where(early, *of_each)
