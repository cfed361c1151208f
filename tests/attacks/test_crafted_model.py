"""Whoever gives an authority a model crafts its trees: numbers that point outside their arrays are refused before a compiled loop follows them.

Before, only features beyond the last were refused: `split_feature=-100000000` ended the process, and -9 wrote beside the sums.
"""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histories.errors import Faults
from tests.support.explained_model import grown
from training.bundle import BOOSTER, SUMS, file_digest, read_bundle
from training.explanation.leaf_tables import LeafTables
from training.explanation.scorer import scorer_of
from training.explanation.tree_checks import MAX_DEPTH
from training.explanation.trees import Forest, read_forest
from training.risk_model import RiskModel

KEYS = ("split_feature", "left_child", "right_child", "num_leaves")
HUGE = (-(10**30), -(2**63), -100_000_000, -9, -1, 0, 1, 9, 2**31, 2**63 - 1, 10**30)


def text():
    return grown(columns=5, trees=2, num_leaves=6).model_to_string()


def with_value(model, key, place, value):
    """Exchange one number of one tree's line."""
    lines = model.split("\n")
    of_key = [i for i, line in enumerate(lines) if line.startswith(f"{key}=")]
    values = [(i, j) for i in of_key for j in range(len(lines[i].partition("=")[2].split()))]
    i, j = values[place % len(values)]
    numbers = lines[i].partition("=")[2].split()
    lines[i] = f"{key}=" + " ".join([*numbers[:j], str(value), *numbers[j + 1 :]])
    return "\n".join(lines)


def lies(forest):
    """Follow each tree as the loops do, without their arrays, and return what points elsewhere or is not reached exactly once."""
    found = [int(f) for f in forest.feature if not 0 <= f < len(forest.features)]
    for tree in range(forest.trees):
        nodes = int(forest.node_start[tree + 1] - forest.node_start[tree])
        leaves = int(forest.leaf_start[tree + 1] - forest.leaf_start[tree])
        waiting, seen = [0 if nodes else -1], []
        while waiting and len(seen) <= nodes + leaves:
            at = waiting.pop()
            seen.append(at)
            if 0 <= at < nodes:
                k = forest.node_start[tree] + at
                waiting += [int(forest.left[k]), int(forest.right[k])]
        found += [tree] * (sorted(seen) != sorted([*range(nodes), *(~leaf for leaf in range(leaves))]))
    return found


@given(key=st.sampled_from(KEYS), place=st.integers(0, 50), value=st.sampled_from(HUGE) | st.integers(-12, 12))
def test_no_number_of_a_model_points_outside_its_tree(key, place, value):
    try:
        forest = read_forest(with_value(text(), key, place, value))
    except Faults:
        return
    assert not lies(forest)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("threshold", "nan"),
        *((k, v) for k in ("leaf_value", "leaf_count", "internal_count", "split_gain") for v in ("nan", "inf", "-inf")),
    ],
)
def test_a_number_that_is_none_is_refused(key, value):
    with pytest.raises(Faults, match="damaged tree"):
        read_forest(with_value(text(), key, 3, value))


@pytest.mark.parametrize("value", ["0", "-20"])
def test_a_node_that_no_child_of_training_passed_is_refused(value):
    with pytest.raises(Faults, match="damaged tree"):
        read_forest(with_value(text(), "internal_count", 0, value))


@pytest.mark.parametrize("array", [f.name for f in fields(Forest) if f.name != "features"])
def test_no_forest_is_made_of_arrays_that_do_not_fit(array):
    """Also without a file: whoever makes a forest, it is checked."""
    forest = read_forest(text())
    with pytest.raises(ValueError, match=r"\w"):
        replace(forest, **{array: getattr(forest, array)[:-1]})


def test_a_chain_that_no_recursion_could_follow_is_refused():
    m = MAX_DEPTH + 1
    nodes = np.arange(m)
    chain = {
        "features": ["a"],
        "node_start": np.array([0, m]),
        "leaf_start": np.array([0, m + 1]),
        **dict.fromkeys(("feature",), np.zeros(m, int)),
        **dict.fromkeys(("threshold", "gain"), np.zeros(m)),
        **dict.fromkeys(("nan_left", "zero_missing"), np.zeros(m, bool)),
        "left": ~nodes,
        "right": np.where(nodes < m - 1, nodes + 1, ~m),
        "count": np.ones(m),
        **dict.fromkeys(("leaf_value", "leaf_count"), np.ones(m + 1)),
    }
    with pytest.raises(ValueError, match="depth"):
        Forest(**chain)


def test_rows_that_are_narrower_than_the_model_are_refused():
    tables = LeafTables(read_forest(text()))
    for asked in (tables.margins, tables.contributions):
        with pytest.raises(ValueError, match="5 features"):
            asked(np.zeros((1, 4)))


def test_a_manifest_that_names_fewer_features_than_the_booster_is_refused(bundle):
    booster, manifest = read_bundle(bundle)
    with pytest.raises(Faults, match="other features"):
        scorer_of(booster, replace(manifest, features=manifest.features[:-1]))


def test_a_bundle_with_new_checksums_is_refused_as_a_damaged_one(bundle, tmp_path):
    for file in bundle.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / BOOSTER).write_text(with_value((bundle / BOOSTER).read_text(), "split_feature", 0, -9))
    names = [line.split("  ")[1] for line in (tmp_path / SUMS).read_text().splitlines()]
    (tmp_path / SUMS).write_text("".join(f"{file_digest(tmp_path / n)}  {n}\n" for n in names))
    with pytest.raises(Faults, match="damaged tree"):
        RiskModel.load(tmp_path)
