"""A model's risk within fewer or more days than its horizon; how the shares are learned is told in ``training.fitting.timing``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

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
