"""Whether flat arrays are trees: the compiled loops follow their numbers unchecked, so that a crafted one would read or write elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_DEPTH = 256  # splits on a path; leaves are found by recursion


def check_trees(forest: Any) -> None:
    """Check that every number of a forest points into its own tree, and that each node and leaf is reached exactly once.

    Parameters
    ----------
    forest : training.explanation.trees.Forest

    Raises
    ------
    ValueError
        If not; it names the first array that is wrong.
    """
    nodes, leaves = _sizes(forest)
    for name, expected in {**dict.fromkeys(_OF_NODES, nodes), **dict.fromkeys(_OF_LEAVES, leaves)}.items():
        if getattr(forest, name).shape != (expected,):
            raise ValueError(name)
    if np.isnan(forest.threshold).any():  # infinite where a split asks only whether there is a value
        raise ValueError("threshold")
    for name in ("count", "gain", "leaf_value", "leaf_count"):
        if not np.isfinite(getattr(forest, name)).all():
            raise ValueError(name)
    if (forest.count <= 0).any() or (forest.leaf_count < 0).any():
        raise ValueError("count")
    if ((forest.feature < 0) | (forest.feature >= len(forest.features))).any():
        raise ValueError("feature")
    _check_children(forest)


_OF_NODES = ("feature", "threshold", "nan_left", "zero_missing", "left", "right", "count", "gain")
_OF_LEAVES = ("leaf_value", "leaf_count")


def _sizes(forest: Any) -> tuple[int, int]:
    """Return the numbers of nodes and leaves, after a look at where each tree starts: a tree has one leaf more than nodes."""
    of_nodes, of_leaves = np.diff(forest.node_start), np.diff(forest.leaf_start)
    starts_at_zero = len(forest.node_start) > 0 and forest.node_start[0] == 0 and forest.leaf_start[0] == 0
    if not starts_at_zero or (of_nodes < 0).any() or not np.array_equal(of_leaves, of_nodes + 1):
        raise ValueError("num_leaves")
    return int(forest.node_start[-1]), int(forest.leaf_start[-1])


def _check_children(forest: Any) -> None:
    sizes = np.diff(forest.node_start)
    start, first_leaf = np.repeat(forest.node_start[:-1], sizes), np.repeat(forest.leaf_start[:-1], sizes)
    own = np.arange(len(start)) - start
    size = np.repeat(sizes, sizes)
    reached = np.zeros(len(start), dtype=np.int64)
    ends = np.zeros(len(forest.leaf_value), dtype=np.int64)
    for children in (forest.left, forest.right):
        inner = children >= 0
        # A later node of its own tree, so that no walk returns; or one of its own leaves, of which there is one more than nodes.
        if not np.where(inner, (children > own) & (children < size), ~children <= size).all():
            raise ValueError("child")
        np.add.at(reached, (start + children)[inner], 1)
        np.add.at(ends, (first_leaf + ~children)[~inner], 1)
    roots = own == 0
    if (reached[~roots] != 1).any() or (ends[np.repeat(sizes, sizes + 1) > 0] != 1).any():
        raise ValueError("child")
    _measure(forest, start)


def _measure(forest: Any, start: NDArray[np.int64]) -> None:
    """Measure the depth of every node; parents come before their children."""
    depth = [1] * len(start)
    for node, (first, left, right) in enumerate(
        zip(*(a.tolist() for a in (start, forest.left, forest.right)), strict=True)
    ):
        if depth[node] > MAX_DEPTH:
            raise ValueError("depth")
        for child in (left, right):
            if child >= 0:
                depth[first + child] = depth[node] + 1
