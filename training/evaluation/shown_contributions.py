"""Contributions as a report may show them: never those of one child.

A point of a beeswarm is a child, and its colour one of the child's values. Here a point is the mean of ten children (microaggregation; Domingo-Ferrer
and Mateo-Sanz 2002): for each feature on its own, children are ordered, and neighbours are averaged. The groups of two features hold different
children, so points of two rows cannot be put together to a child again. A mean of a few distinct values would tell how many of ten have
which ("0.4" is four of ten), so such a value is shown only where all ten share it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from features.groups.disclosure import SMALLEST, rounded

POINT = 10  # children to a point; more than the counts that are hidden
SWARM, STRONGEST, BINS = 12, 5, 12  # features of the beeswarm, features with a curve of their own, points of a curve
FEW_VALUES = 20  # up to so many distinct values, a mean tells counts


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
        ``children``, rounded, and ``children_a_point``; ``beeswarm`` and ``dependence`` by feature, strongest first.
    """
    order = np.argsort(-np.average(np.abs(parts), axis=0, weights=weight), kind="stable")
    return {
        "children": rounded(len(x)),
        "children_a_point": POINT,
        "beeswarm": {names[k]: swarm(x[:, k], parts[:, k], weight) for k in order[:SWARM]},
        "dependence": {names[k]: dependence(x[:, k], parts[:, k], weight) for k in order[:STRONGEST]},
    }


def swarm(values: np.ndarray, parts: np.ndarray, weight: np.ndarray) -> dict[str, list[float | None]]:
    """Return points of ten children with neighbouring contributions: the mean contribution and the mean known value.

    A value is None where too few of the ten have one, or where it would tell how many have which.

    Examples
    --------
    >>> swarm(np.arange(25.0), np.arange(25.0) / 10, np.ones(25))
    {'contribution': [0.45, 1.7], 'value': [4.5, 17.0]}
    """
    groups, few = _groups(np.argsort(parts, kind="stable")), _takes_few_values(values)
    return {
        "contribution": [_mean(parts[g], weight[g]) for g in groups],
        "value": [_known_mean(values[g], weight[g], few) for g in groups],
    }


def dependence(values: np.ndarray, parts: np.ndarray, weight: np.ndarray) -> list[dict[str, float | None]]:
    """Return the mean contribution by value: bins of ten children or more with neighbouring values, and one of those without a value.

    A feature of few distinct values has a bin for each value that ten children share.

    Returns
    -------
    list of dict
        ``value`` (None: missing), ``contribution``, ``spread`` (standard deviation) and ``children``, rounded.
    """
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    bins = _by_value(values[order], order, each=1 if _takes_few_values(values) else 0)
    curve = [_bin(_mean(values[b], weight[b]), parts[b], weight[b]) for b in bins if len(b) >= POINT]
    lacking = np.flatnonzero(np.isnan(values))
    return [*curve, _bin(None, parts[lacking], weight[lacking])] if len(lacking) >= POINT else curve


def _groups(order: np.ndarray) -> list[np.ndarray]:
    """Cut an order into groups of ten; the last takes the rest. Fewer than ten make no group."""
    number = len(order) // POINT
    return [g for g in np.split(order, [POINT * k for k in range(1, number)]) if number]


def _takes_few_values(values: np.ndarray) -> bool:
    return len(np.unique(values[~np.isnan(values)])) <= FEW_VALUES


def _by_value(values: np.ndarray, order: np.ndarray, each: int = 0) -> list[np.ndarray]:
    """Cut ordered children into bins without parting equal values.

    Parameters
    ----------
    each : int
        Children to a bin, at least; 0 for about equal numbers, where the last bin joins its neighbour if it is too small. Most children share the
        commonest value, often zero, which is one bin; the number is that of the others.
    """
    commonest = np.unique(values, return_counts=True)[1].max() if len(values) else 0
    least = each or max(POINT, (len(order) - int(commonest)) // BINS)
    bins, start = [], 0
    while start < len(order):
        end = int(np.searchsorted(values, values[min(start + least, len(order)) - 1], side="right"))
        bins.append(order[start:end])
        start = end
    if not each and len(bins) > 1 and len(bins[-1]) < POINT:
        bins[-2:] = [np.concatenate(bins[-2:])]
    return bins


def _bin(value: float | None, parts: np.ndarray, weight: np.ndarray) -> dict[str, float | None]:
    mean = np.average(parts, weights=weight)
    return {
        "value": value,
        "contribution": _short(mean),
        "spread": _short(np.sqrt(np.average((parts - mean) ** 2, weights=weight))),
        "children": rounded(len(parts)),
    }


def _known_mean(values: np.ndarray, weight: np.ndarray, few: bool) -> float | None:
    known = ~np.isnan(values)
    if known.sum() <= SMALLEST or (few and (not known.all() or np.ptp(values) > 0)):
        return None
    return _mean(values[known], weight[known])


def _mean(values: np.ndarray, weight: np.ndarray) -> float:
    return _short(np.average(values, weights=weight))


def _short(value: float) -> float:
    return float(f"{value:.4g}")
