"""Exact tree SHAP from tables made once for every leaf.

For a leaf with value v, let U be the features on its path; a feature u of U is *satisfied* when the row takes all of the path's
branches on u, and z_u is the share of training rows that did so (the product of cover ratios). The path-dependent Shapley value
(Lundberg et al. 2020, Nature Machine Intelligence 2, 56-67) of u for this leaf is

    v * sum over S of U without u:  w(|S|) * prod(s_i for i in S) * prod(z_i for i not in S and not u) * (s_u - z_u)

which depends on the row only through which features are satisfied: 2^|U| patterns, so it can be tabled. A row then needs, for each
leaf, its pattern and one addition per feature of the path. The same additions in the same order serve one row and a hundred
thousand, whatever the number of threads.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, prange

# Numba's plain thread pool must not be entered twice at once.
_one_at_a_time = threading.Lock()
MOST_FEATURES = 12  # features on one path; 2^12 patterns are still a small table


@dataclass(frozen=True)
class LeafTables:
    """Flat arrays over all leaves of all trees, in tree order.

    Attributes
    ----------
    value : float64, shape (leaves,)
    n_unique : int32, shape (leaves,)
    unique : int32, shape (leaves, widest)
        Features on the path.
    cond_start : int64, shape (leaves + 1,)
        Where each leaf's conditions begin.
    cond_slot, cond_feature : int32
        Which of the path's features a condition is on.
    cond_low, cond_high : float64
        The condition ``low < value <= high``.
    cond_missing : bool
        Whether a missing value satisfies it.
    table_start : int64, shape (leaves,)
    table : float64
        For each leaf ``2^n_unique`` rows of ``n_unique`` Shapley values.
    base : float
        The expected margin.
    n_features : int
    """

    value: np.ndarray
    n_unique: np.ndarray
    unique: np.ndarray
    cond_start: np.ndarray
    cond_slot: np.ndarray
    cond_feature: np.ndarray
    cond_low: np.ndarray
    cond_high: np.ndarray
    cond_missing: np.ndarray
    table_start: np.ndarray
    table: np.ndarray
    base: float
    n_features: int


def build(model: dict[str, Any]) -> LeafTables:
    """Make the tables from LightGBM's ``dump_model()``.

    Raises
    ------
    ValueError
        When a split is not numeric or treats zero as missing, or a path holds more than twelve features.
    """
    leaves: list[tuple[float, dict[int, list[Any]]]] = []
    base = 0.0
    for tree in model["tree_info"]:
        base += _walk(tree["tree_structure"], {}, leaves)
    widest = max((len(path) for _, path in leaves), default=1) or 1
    if widest > MOST_FEATURES:
        raise ValueError("a path of the model holds more features than the tables allow; limit max_depth")
    unique = np.full((len(leaves), widest), -1, np.int32)
    starts, tables, conditions, edges = [], [], [], [0]
    at = 0
    for n, (value, path) in enumerate(leaves):
        unique[n, : len(path)] = list(path)
        for slot, (feature, (low, high, missing, _)) in enumerate(path.items()):
            conditions.append((slot, feature, low, high, missing))
        edges.append(len(conditions))
        starts.append(at)
        rows = shapley_table(np.array([c[3] for c in path.values()], float), value)
        tables.append(rows.ravel())
        at += rows.size
    slots, on, lows, highs, missings = (
        (list(c) for c in zip(*conditions, strict=True)) if conditions else ([], [], [], [], [])
    )
    return LeafTables(
        np.array([v for v, _ in leaves]), np.array([len(p) for _, p in leaves], np.int32), unique, np.array(edges, np.int64),
        np.array(slots, np.int32), np.array(on, np.int32), np.array(lows, float), np.array(highs, float), np.array(missings, bool),
        np.array(starts, np.int64), np.concatenate(tables) if tables else np.zeros(0), base, int(model["max_feature_idx"]) + 1,
    )  # fmt: skip


def _walk(node: dict[str, Any], path: dict[int, list[Any]], leaves: list[tuple[float, dict[int, list[Any]]]]) -> float:
    """Collect leaves with their paths; return the tree's expected value by training counts."""
    if "leaf_value" in node and "split_feature" not in node:
        leaves.append((float(node["leaf_value"]), path))
        return float(node["leaf_value"])
    if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
        raise ValueError("the model has a split that is not numeric or treats zero as missing")
    f, threshold = int(node["split_feature"]), float(node["threshold"])
    counts = [_count(node["left_child"]), _count(node["right_child"])]
    total, expected = sum(counts), 0.0
    nan_left = node["default_left"] if node["missing_type"] == "NaN" else threshold >= 0
    for child, count, left in (
        (node["left_child"], counts[0], True),
        (node["right_child"], counts[1], False),
    ):
        low, high, missing, share = path.get(f, [-math.inf, math.inf, True, 1.0])
        narrowed = [low, min(high, threshold)] if left else [max(low, threshold), high]
        own = {**path, f: [*narrowed, missing and nan_left == left, share * count / total]}
        expected += count / total * _walk(child, own, leaves)
    return expected


def _count(node: dict[str, Any]) -> float:
    return float(node["leaf_count"] if "leaf_count" in node else node["internal_count"])


def shapley_table(z: np.ndarray, value: float) -> np.ndarray:
    """Return the Shapley values of a leaf for every pattern of satisfied features.

    Parameters
    ----------
    z : float array, shape (m,)
        Share of training rows that satisfy each feature's conditions.
    value : float
        The leaf's value.

    Returns
    -------
    float array, shape (2**m, m)
        Row ``mask`` has bit i set when feature i is satisfied.

    Examples
    --------
    >>> shapley_table(np.array([0.25]), 2.0).tolist()
    [[-0.5], [1.5]]
    """
    m = len(z)
    table = np.zeros((1 << m, m))
    weights = [math.factorial(k) * math.factorial(m - k - 1) / math.factorial(m) for k in range(m)] if m else []
    bits = (np.arange(1 << m)[:, None] >> np.arange(m)) & 1
    for u in range(m):
        others = [i for i in range(m) if i != u]
        # Polynomial in the size of S, one coefficient a size, for all patterns at once.
        poly = np.zeros((1 << m, m))
        poly[:, 0] = 1.0
        for i in others:
            shifted = np.zeros_like(poly)
            shifted[:, 1:] = poly[:, :-1] * bits[:, i : i + 1]
            poly = poly * z[i] + shifted
        table[:, u] = value * (poly @ np.array(weights)) * (bits[:, u] - z[u])
    return table


@njit(cache=True, parallel=True)
def _contribute(
    x,
    value,
    n_unique,
    unique,
    cond_start,
    cond_slot,
    cond_feature,
    cond_low,
    cond_high,
    cond_missing,
    table_start,
    table,
    base,
    out,
    margins,
):
    for r in prange(x.shape[0]):
        total = 0.0
        for leaf in range(value.shape[0]):
            mask = 0
            for c in range(cond_start[leaf], cond_start[leaf + 1]):
                v = x[r, cond_feature[c]]
                satisfied = cond_missing[c] if math.isnan(v) else (cond_low[c] < v and v <= cond_high[c])
                if satisfied:
                    mask |= 1 << cond_slot[c]
            m = n_unique[leaf]
            if mask == (1 << m) - 1:
                total += value[leaf]
            at = table_start[leaf] + mask * m
            for u in range(m):
                out[r, unique[leaf, u]] += table[at + u]
        out[r, out.shape[1] - 1] = base
        margins[r] = total


def contributions(tables: LeafTables, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return exact contributions and margins.

    Parameters
    ----------
    x : float64 array, shape (rows, features)
        Missing is NaN.

    Returns
    -------
    contributions : float64 array, shape (rows, features + 1)
        In log-odds; the last column is the base. They sum to the margin.
    margins : float64 array, shape (rows,)
        The sum of the leaves that the rows fall into, in tree order.
    """
    x = np.ascontiguousarray(x, np.float64)
    out = np.zeros((len(x), tables.n_features + 1))
    margins = np.zeros(len(x))
    t = tables
    with _one_at_a_time:
        _contribute(
            x, t.value, t.n_unique, t.unique, t.cond_start, t.cond_slot, t.cond_feature, t.cond_low, t.cond_high, t.cond_missing,
            t.table_start, t.table, t.base, out, margins,
        )  # fmt: skip
    return out, margins
