"""Contributions as a report may show them: never those of one child.

A point of a beeswarm is a child, and its colour one of the child's values. Here a point is the mean of ten children (microaggregation; Domingo-Ferrer
and Mateo-Sanz 2002): for each feature on its own, children are ordered, and neighbours are averaged. The groups of two features hold different
children, so points of two rows cannot be put together to a child again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from features.groups.disclosure import SMALLEST, rounded

POINT = 10  # children to a point; more than the counts that are hidden
SWARM, STRONGEST, BINS = 12, 5, 12  # features of the beeswarm, features with a curve of their own, points of a curve


def shown(x: np.ndarray, parts: np.ndarray, names: list[str], weight: np.ndarray) -> dict[str, Any]:
    """Return the beeswarm of the strongest features and the dependence of the very strongest, as JSON-ready data.

    Parameters
    ----------
    x : float array, shape (children, features)
        One row per child; missing is NaN.
    parts : float array, shape (children, features)
        Contributions in log-odds.
    names : list of str
    weight : float array, shape (children,)

    Returns
    -------
    dict
        ``children_a_point``; ``beeswarm`` and ``dependence`` by feature, strongest first.
    """
    order = np.argsort(-np.average(np.abs(parts), axis=0, weights=weight), kind="stable")
    return {
        "children_a_point": POINT,
        "beeswarm": {names[k]: swarm(x[:, k], parts[:, k]) for k in order[:SWARM]},
        "dependence": {names[k]: dependence(x[:, k], parts[:, k]) for k in order[:STRONGEST]},
    }


def swarm(values: np.ndarray, parts: np.ndarray) -> dict[str, list[float | None]]:
    """Return points of ten children with neighbouring contributions: the mean contribution and the mean known value.

    A value is None where too few of the ten have one.

    Examples
    --------
    >>> swarm(np.arange(25.0), np.arange(25.0) / 10)
    {'contribution': [0.45, 1.7], 'value': [4.5, 17.0]}
    """
    groups = _groups(np.argsort(parts, kind="stable"))
    return {
        "contribution": [_short(parts[g].mean()) for g in groups],
        "value": [_known_mean(values[g]) for g in groups],
    }


def dependence(values: np.ndarray, parts: np.ndarray) -> list[dict[str, float | None]]:
    """Return the mean contribution by value: bins of ten children or more with neighbouring values, and one of those without a value.

    Returns
    -------
    list of dict
        ``value`` (None: missing), ``contribution``, ``spread`` (standard deviation) and ``children``, rounded.
    """
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    bins = _by_value(values[order], order)
    lacking = np.flatnonzero(np.isnan(values))
    return [_bin(float(values[b].mean()), parts[b]) for b in bins] + [
        _bin(None, parts[b]) for b in [lacking] if len(b) >= POINT
    ]


def _groups(order: np.ndarray) -> list[np.ndarray]:
    """Cut an order into groups of ten; the last takes the rest. Fewer than ten make no group."""
    number = len(order) // POINT
    return [g for g in np.split(order, [POINT * k for k in range(1, number)]) if number]


def _by_value(values: np.ndarray, order: np.ndarray) -> list[np.ndarray]:
    """Cut ordered children into bins of about equal number without parting equal values; a bin too small joins its neighbour.

    Most children share the commonest value, often zero, which is one bin; the number is that of the others.
    """
    commonest = np.unique(values, return_counts=True)[1].max() if len(values) else 0
    each = max(POINT, (len(order) - int(commonest)) // BINS)
    bins, start = [], 0
    while start < len(order):
        end = min(start + each, len(order))
        end = int(np.searchsorted(values, values[end - 1], side="right"))
        bins.append(order[start:end])
        start = end
    if len(bins) > 1 and len(bins[-1]) < POINT:
        bins[-2:] = [np.concatenate(bins[-2:])]
    return [b for b in bins if len(b) >= POINT]


def _bin(value: float | None, parts: np.ndarray) -> dict[str, float | None]:
    return {
        "value": None if value is None else _short(value),
        "contribution": _short(parts.mean()),
        "spread": _short(parts.std()),
        "children": rounded(len(parts)),
    }


def _known_mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return _short(known.mean()) if len(known) > SMALLEST else None


def _short(value: float) -> float:
    return float(f"{value:.4g}")
