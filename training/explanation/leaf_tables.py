"""Exact path-dependent TreeSHAP by table look-up: the values of LightGBM's ``pred_contrib``, many times faster.

A leaf's contribution to a row depends only on which of the few conditions on its path the row satisfies.
The Shapley values of every pattern are therefore computed once, when the model is loaded; a row then needs
the outcome of each split and one look-up. Neighbouring leaves share most of their paths, so leaves with at
most ``GROUP_BITS`` splits between them form one group with one summed table, indexed by the outcomes of
these splits. A leaf on a longer path is a group by itself, indexed by its conditions (one per feature,
however many splits). A leaf with more than ``LEAF_BITS`` features is computed for each row.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.explanation import kernels
from training.explanation.trees import Forest

GROUP_BITS = 8
LEAF_BITS = 10
ROWS_A_TASK = 4 * kernels.BLOCK
Test = tuple[int, bool]  # a node of the tree and whether the row goes left there


@dataclass
class Leaf:
    """One leaf: for each feature on its path, the splits to pass and the share of the data that passes."""

    value: float
    path: list[int]
    tests: dict[int, list[Test]] = field(default_factory=dict)
    shares: dict[int, float] = field(default_factory=dict)


@dataclass
class TreeGroup:
    """Leaves that share a table: bit b of the code is set if all of ``bits[b]`` hold."""

    leaves: list[Leaf]
    bits: list[list[Test]]

    @property
    def places(self) -> list[int]:
        """The features of the table's columns."""
        return sorted({f for leaf in self.leaves for f in leaf.tests})


def leaves_of(forest: Forest, tree: int) -> list[Leaf]:
    """Return the leaves of a tree from left to right."""
    first, leaf_first = forest.node_start[tree], forest.leaf_start[tree]
    leaves: list[Leaf] = []

    def walk(node: int, count: float, leaf: Leaf) -> None:
        k = first + node
        feature = int(forest.feature[k])
        for child, goes_left in ((int(forest.left[k]), True), (int(forest.right[k]), False)):
            below = forest.count[first + child] if child >= 0 else forest.leaf_count[leaf_first + ~child]
            tests = {**leaf.tests, feature: [*leaf.tests.get(feature, []), (node, goes_left)]}
            shares = {**leaf.shares, feature: leaf.shares.get(feature, 1.0) * float(below / count)}
            reached = Leaf(0.0, [*leaf.path, node], tests, shares)
            if child >= 0:
                walk(child, below, reached)
            else:
                reached.value = float(forest.leaf_value[leaf_first + ~child])
                leaves.append(reached)

    if forest.node_start[tree + 1] > first:
        walk(0, float(forest.count[first]), Leaf(0.0, []))
    return leaves


def grouped(leaves: list[Leaf]) -> tuple[list[TreeGroup], list[Leaf]]:
    """Return the groups of a tree's leaves, and the leaves that are too deep for a table."""
    groups: list[TreeGroup] = []
    deep: list[Leaf] = []
    together: list[Leaf] = []
    splits: list[int] = []

    def close() -> None:
        if together:
            groups.append(TreeGroup(list(together), [[(node, True)] for node in splits]))
        together.clear()
        splits.clear()

    for leaf in leaves:
        if len(leaf.tests) > LEAF_BITS:
            deep.append(leaf)
        elif len(leaf.path) > GROUP_BITS:
            groups.append(TreeGroup([leaf], list(leaf.tests.values())))
        else:
            if len({*splits, *leaf.path}) > GROUP_BITS:
                close()
            splits.extend(node for node in leaf.path if node not in splits)
            together.append(leaf)
    close()
    return groups, deep


def gauss_rule(widest: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Gauss-Legendre points and weights on (0, 1); row n integrates polynomials of degree below 2n exactly."""
    most = max((widest + 1) // 2, 1)
    points, weights = np.zeros((most + 1, most)), np.zeros((most + 1, most))
    for n in range(1, most + 1):
        x, w = np.polynomial.legendre.leggauss(n)
        points[n, :n], weights[n, :n] = (x + 1.0) / 2.0, w / 2.0
    return points, weights


def group_table(group: TreeGroup, rule: tuple[NDArray, NDArray]) -> NDArray[np.float64]:
    """Return the summed Shapley values of a group, codes by features."""
    column = {f: i for i, f in enumerate(group.places)}
    bit = {tuple(tests): b for b, tests in enumerate(group.bits)}
    table = np.zeros((1 << len(group.bits), len(column)))
    for leaf in group.leaves:
        masks, wants = [], []
        for tests in leaf.tests.values():
            if tuple(tests) in bit:
                masks.append(1 << bit[tuple(tests)])
                wants.append(masks[-1])
            else:
                masks.append(sum(1 << bit[((node, True),)] for node, _ in tests))
                wants.append(sum(1 << bit[((node, True),)] for node, left in tests if left))
        shares = np.array(list(leaf.shares.values()))
        kernels.add_leaf(
            table,
            kernels.leaf_table(shares, leaf.value, *rule),
            np.array(masks),
            np.array(wants),
            np.array([column[f] for f in leaf.tests]),
        )
    return table


class LeafTables:
    """The tables of a model, for any number of rows; thread-safe."""

    def __init__(self, forest: Forest) -> None:
        self.forest = forest
        self.base = forest.base
        groups: list[TreeGroup] = []
        deep: list[Leaf] = []
        tree_groups, tree_deep = [0], [0]
        for tree in range(forest.trees):
            more_groups, more_deep = grouped(leaves_of(forest, tree))
            groups += more_groups
            deep += more_deep
            tree_groups.append(len(groups))
            tree_deep.append(len(deep))
        self._rule = gauss_rule(max([LEAF_BITS, *(len(leaf.tests) for leaf in deep)]))
        self._groups, self._tree_groups = self._pack_groups(groups), np.array(tree_groups)
        self._deep, self._tree_deep = _pack_deep(deep), np.array(tree_deep)
        self._splits = (
            forest.node_start,
            forest.feature,
            forest.threshold,
            forest.nan_left,
            forest.zero_missing,
        )
        self._widest = int(np.diff(forest.node_start).max(initial=0))

    def _pack_groups(self, groups: list[TreeGroup]) -> tuple[NDArray, ...]:
        places = [g.places for g in groups]
        starts = _starts([len(p) << len(g.bits) for g, p in zip(groups, places, strict=True)])
        tables = np.zeros(starts[-1])
        for g, group in enumerate(groups):
            tables[starts[g] : starts[g + 1]] = group_table(group, self._rule).ravel()
        return (
            _starts([len(g.bits) for g in groups]),
            *_pack_tests([tests for g in groups for tests in g.bits]),
            _starts([len(p) for p in places]),
            np.array([f for p in places for f in p], dtype=np.int64),
            starts,
            tables,
        )

    def margins(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of the leaves that each row reaches, in the order of the trees (log-odds)."""
        forest, rows = self.forest, self._as_wide(rows)
        out = np.empty(len(rows))

        def task(part: slice) -> None:
            children = (forest.left, forest.right)
            kernels.margins(
                rows=rows[part],
                splits=self._splits,
                children=children,
                leaf_start=forest.leaf_start,
                leaf_value=forest.leaf_value,
                out=out[part],
            )

        _in_threads(task, len(rows))
        return out

    def contributions(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each feature's contribution to each row's margin, with the base as last column (log-odds).

        Parameters
        ----------
        rows : array of shape (rows, features)
            In the order of ``forest.features``; NaN is missing.

        Returns
        -------
        array of shape (rows, features + 1)
        """
        rows = self._as_wide(rows)
        out = np.empty((len(rows), rows.shape[1] + 1))
        out[:, -1] = self.base

        def task(part: slice) -> None:
            kernels.contributions(
                rows=rows[part],
                splits=self._splits,
                groups=self._groups,
                tree_groups=self._tree_groups,
                deep=self._deep,
                tree_deep=self._tree_deep,
                rule=self._rule,
                widest=self._widest,
                out=out[part, :-1],
            )

        _in_threads(task, len(rows))
        return out

    def _as_wide(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return rows that have a value for each feature: the loops would read past the end of narrower ones."""
        rows = np.ascontiguousarray(rows, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.forest.features):
            raise ValueError(f"rows of shape {rows.shape} for {len(self.forest.features)} features")
        return rows


def _starts(lengths: list[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.array(lengths, dtype=np.int64))]).astype(np.int64)


def _pack_tests(conditions: list[list[Test]]) -> tuple[NDArray, NDArray, NDArray]:
    nodes = np.array([node for tests in conditions for node, _ in tests], dtype=np.int64)
    wants = np.array([left for tests in conditions for _, left in tests], dtype=np.bool_)
    return _starts([len(tests) for tests in conditions]), nodes, wants


def _pack_deep(deep: list[Leaf]) -> tuple[Any, ...]:
    return (
        _starts([len(leaf.tests) for leaf in deep]),
        *_pack_tests([tests for leaf in deep for tests in leaf.tests.values()]),
        np.array([f for leaf in deep for f in leaf.tests], dtype=np.int64),
        np.array([s for leaf in deep for s in leaf.shares.values()], dtype=np.float64),
        np.array([leaf.value for leaf in deep], dtype=np.float64),
    )


def _in_threads(task: Any, rows: int) -> None:
    """Run a task over slices of the rows, in threads if there are many rows."""
    parts = [slice(a, min(a + ROWS_A_TASK, rows)) for a in range(0, rows, ROWS_A_TASK)]
    if len(parts) <= 1:
        for part in parts:
            task(part)
        return
    with ThreadPoolExecutor(max_workers=min(len(parts), os.cpu_count() or 1)) as pool:
        list(pool.map(task, parts))
