"""Bands: a score in words, once by its risk and once by its place on the day's list.

Limits of risk are fixed in training, so one band means one risk wherever and whenever the model is used; how many children are in it changes with the
base rate. Bands by capacity hold the same share of every list, whatever the risks are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# The top shares of a cohort: placeholders, to be set to a team's capacity.
SHARES = (("very high", 0.002), ("high", 0.01), ("raised", 0.05))
# However common the outcome is, these risks are never put lower.
CEILINGS = {"very high": 0.5, "high": 0.25, "raised": 0.1}
USUAL = "usual"


def limits_of(risks: np.ndarray, weight: np.ndarray) -> list[dict[str, Any]]:
    """Return the bands by risk with their lower limits, highest first.

    Parameters
    ----------
    risks, weight : float arrays, shape (rows,)
        The calibrated risks that training predicted, and the number of snapshots that each represents.

    Returns
    -------
    list of dict
        ``name`` and ``at_least``: the risk above which the band's share of the cohort lies, but no more than its ceiling.
    """
    order = np.argsort(risks, kind="stable")
    before = np.r_[0.0, np.cumsum(weight[order])[:-1]]
    limits = []
    for name, share in SHARES:
        at_least = float(np.interp((1 - share) * before[-1], before, risks[order]))
        limits.append({"name": name, "at_least": min(at_least, CEILINGS[name])})
    return [*limits, {"name": USUAL, "at_least": 0.0}]


def by_risk(risk: float, limits: list[dict[str, Any]]) -> str:
    """Return the band of a risk."""
    return next(band["name"] for band in limits if risk >= band["at_least"])


def by_capacity(rank: int, children: int) -> str:
    """Return the band of a rank among an authority's children of the day.

    Examples
    --------
    >>> [by_capacity(rank, 1000) for rank in (2, 3, 10, 50, 51)]
    ['very high', 'high', 'high', 'raised', 'usual']
    >>> by_capacity(1, 10)
    'usual'
    """
    # A share of 0.07 of 100 must be 7, not 7.000000000000001.
    return next((name for name, share in SHARES if rank <= share * children + 1e-9), USUAL)


def share_text(name: str) -> str | None:
    """Return the share of a list that lies in a band by capacity or above it, such as ``0.2%``; None for the lowest band."""
    return {n: f"{share:.1%}".replace(".0%", "%") for n, share in SHARES}.get(name)
