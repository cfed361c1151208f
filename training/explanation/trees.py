"""The trees of a LightGBM model, parsed from its text without importing LightGBM (which takes a second)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from histories.errors import Fault, Faults
from training.explanation.tree_checks import check_trees

DO = "train a binary model with numeric features and boosting `gbdt`"
CATEGORICAL, DEFAULT_LEFT, ZERO_IS_MISSING, NAN_IS_MISSING = 1, 2, 1, 2


@dataclass(frozen=True, kw_only=True)
class Forest:
    """The trees of a model as flat arrays; nodes and leaves are numbered across trees.

    Attributes
    ----------
    features : list of str
        The model's columns in order.
    node_start, leaf_start : array of shape (trees + 1,)
        Index of each tree's first inner node and first leaf.
    feature, threshold : array of shape (nodes,)
        A row goes left if its value is at most the threshold.
    nan_left, zero_missing : array of bool, shape (nodes,)
        Where a missing value goes, and whether zero counts as missing.
    left, right : array of shape (nodes,)
        The children: the number of a node within its tree, or ``~leaf``.
    count : array of shape (nodes,)
        Training rows that pass the node.
    leaf_value, leaf_count : array of shape (leaves,)
        In log-odds; training rows that end in the leaf.
    gain : array of shape (nodes,)
        What each split gained in training.

    Raises
    ------
    ValueError
        If these are not trees, however the forest was made: compiled loops follow its numbers without looking.
    """

    features: list[str]
    node_start: NDArray[np.int64]
    leaf_start: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    nan_left: NDArray[np.bool_]
    zero_missing: NDArray[np.bool_]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    count: NDArray[np.float64]
    leaf_value: NDArray[np.float64]
    leaf_count: NDArray[np.float64]
    gain: NDArray[np.float64]

    def __post_init__(self) -> None:
        check_trees(self)

    @property
    def trees(self) -> int:
        """The number of trees."""
        return len(self.node_start) - 1

    @property
    def base(self) -> float:
        """The expected value over the training data, tree by tree, as LightGBM reports it."""
        total = 0.0
        for tree in range(self.trees):
            leaves = slice(self.leaf_start[tree], self.leaf_start[tree + 1])
            if self.node_start[tree] == self.node_start[tree + 1]:
                total += float(self.leaf_value[leaves][0])
                continue
            weights = self.leaf_count[leaves] / self.count[self.node_start[tree]]
            total += sum(float(w) * float(v) for w, v in zip(weights, self.leaf_value[leaves], strict=True))
        return total


def read_forest(text: str, where: str = "booster.txt") -> Forest:
    """Parse the text of ``Booster.model_to_string()``.

    Raises
    ------
    Faults
        If the text is damaged, or the model is of a kind not supported here: several classes, categorical
        splits, linear leaves or averaged trees.
    """
    head, *sections = text.split("\nTree=")
    header = _pairs(head)
    if not head.startswith("tree") or "feature_names" not in header:
        raise Faults(Fault("is not the text of a LightGBM model", where, DO))
    if header.get("num_tree_per_iteration") != "1" or "average_output" in head.split("\n"):
        raise Faults(Fault("has several classes or averaged trees", where, DO))
    trees = [_pairs(s.split("\nend of trees")[0]) for s in sections]
    sizes = header.get("tree_sizes", "").split()
    if "end of trees" not in text or len(sizes) != len(trees):
        raise Faults(Fault("ends before its last tree", where, "take the model from the registry again"))
    if any(t.get("num_cat", "0") != "0" or t.get("is_linear", "0") != "0" for t in trees):
        raise Faults(Fault("has categorical splits or linear leaves", where, DO))
    try:
        return _forest(header["feature_names"].split(), trees)
    except (KeyError, ValueError, IndexError, OverflowError):
        raise Faults(Fault("has a damaged tree", where, "take the model from the registry again")) from None


def _pairs(section: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in section.split("\n") if "=" in line)


def _forest(features: list[str], trees: list[dict[str, str]]) -> Forest:
    def all_of(key: str, kind: type, leaves: bool = False) -> NDArray:
        parts = [t.get(key, "").split() if int(t["num_leaves"]) > 1 or leaves else [] for t in trees]
        for part, tree in zip(parts, trees, strict=True):
            expected = int(tree["num_leaves"]) - (0 if leaves else 1)
            if len(part) != expected and not (key == "leaf_count" and expected == 1):
                raise ValueError(key)
        return np.array([kind(v) for part in parts for v in (part or ["0"] * leaves)], dtype=kind)

    sizes = np.array([int(t["num_leaves"]) for t in trees], dtype=np.int64)
    decision, threshold = all_of("decision_type", int), all_of("threshold", float)
    missing = (decision >> 2) & 3
    # Without a missing type, LightGBM reads a missing value as 0 and compares that.
    nan_left = np.where(missing == 0, threshold >= 0.0, (decision & DEFAULT_LEFT) > 0)
    if (decision & CATEGORICAL).any():
        raise ValueError("split")
    return Forest(
        features=features,
        node_start=np.concatenate([[0], np.cumsum(sizes - 1)]).astype(np.int64),
        leaf_start=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        feature=all_of("split_feature", int),
        threshold=threshold,
        nan_left=nan_left.astype(np.bool_),
        zero_missing=missing == ZERO_IS_MISSING,
        left=all_of("left_child", int),
        right=all_of("right_child", int),
        count=all_of("internal_count", float),
        leaf_value=all_of("leaf_value", float, leaves=True),
        leaf_count=all_of("leaf_count", float, leaves=True),
        gain=all_of("split_gain", float),
    )
