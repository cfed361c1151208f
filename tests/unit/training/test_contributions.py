"""Contributions by look-up equal LightGBM's and shap's for every kind of tree and row."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from histories.errors import Faults
from tests.support.explained_model import grown, numbers
from training.explanation import leaf_tables
from training.explanation.leaf_tables import LeafTables, grouped, leaves_of
from training.explanation.trees import read_forest

KINDS = {
    "depth 6": {"columns": 12, "max_depth": 6},
    "deep, so that leaves share features and some have no table": {"columns": 30, "num_leaves": 127},
    "stumps": {"columns": 5, "max_depth": 1},
    "zero as missing": {"columns": 8, "zero_as_missing": True},
    "missing values not used": {"columns": 8, "use_missing": False},
    "no missing values in training": {"columns": 8, "clean": True},
    "trees without a split": {"columns": 5, "trees": 2, "min_data_in_leaf": 2900},
    "monotone": {"columns": 12, "max_depth": 6, "monotone_constraints": (1,) + (0,) * 11},
    "tiny leaves": {"columns": 6, "min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 0.0},
}


@pytest.mark.parametrize("kind", KINDS)
def test_contributions_and_margin_are_those_of_lightgbm(kind):
    booster = grown(**KINDS[kind])
    tables = LeafTables(read_forest(booster.model_to_string()))
    rows = numbers(400, booster.num_feature(), seed=9)
    rows[0], rows[1], rows[2] = np.nan, np.inf, -np.inf
    expected = booster.predict(rows, pred_contrib=True)
    contributions = tables.contributions(rows)
    assert np.abs(contributions - expected).max() < 1e-9
    assert np.array_equal(tables.margins(rows), booster.predict(rows, raw_score=True))
    assert np.abs(contributions.sum(axis=1) - tables.margins(rows)).max() < 1e-9
    assert tables.base == pytest.approx(expected[0, -1], abs=1e-12)


def test_contributions_are_those_of_shap():
    import shap

    booster = grown(**KINDS["depth 6"])
    rows = numbers(50, booster.num_feature(), seed=9)
    contributions = LeafTables(read_forest(booster.model_to_string())).contributions(rows)
    values = np.asarray(shap.TreeExplainer(booster).shap_values(rows))
    values = values[1] if values.ndim == 3 else values
    assert np.abs(contributions[:, :-1] - values).max() < 1e-9


def test_the_deep_model_has_all_three_ways_of_working_out_a_leaf():
    booster = grown(**KINDS["deep, so that leaves share features and some have no table"])
    forest = read_forest(booster.model_to_string())
    groups, deep = [], []
    for tree in range(forest.trees):
        more, deeper = grouped(leaves_of(forest, tree))
        groups += more
        deep += deeper
    assert deep
    assert any(len(g.leaves) > 1 for g in groups)
    assert any(len(tests) > 1 for g in groups for tests in g.bits)
    assert sum(len(g.leaves) for g in groups) + len(deep) == len(forest.leaf_value)


@pytest.mark.parametrize("bits", [(1, 1), (3, 2), (8, 0)])
def test_the_grouping_of_leaves_changes_no_value(bits, monkeypatch):
    booster = grown(**KINDS["depth 6"])
    rows = numbers(100, booster.num_feature(), seed=9)
    monkeypatch.setattr(leaf_tables, "GROUP_BITS", bits[0])
    monkeypatch.setattr(leaf_tables, "LEAF_BITS", bits[1])
    contributions = LeafTables(read_forest(booster.model_to_string())).contributions(rows)
    assert np.abs(contributions - booster.predict(rows, pred_contrib=True)).max() < 1e-9


@pytest.mark.parametrize("kind", ["depth 6", "deep, so that leaves share features and some have no table"])
def test_a_row_scores_the_same_alone_in_bulk_and_across_threads(kind, monkeypatch):
    booster = grown(**KINDS[kind])
    tables = LeafTables(read_forest(booster.model_to_string()))
    rows = numbers(2500, booster.num_feature(), seed=9)
    bulk, margins = tables.contributions(rows), tables.margins(rows)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert np.array_equal(tables.contributions(rows), bulk)
    assert np.array_equal(tables.contributions(np.asfortranarray(rows)), bulk)
    for i in (0, 255, 256, 1023, 1024, 2499):
        assert np.array_equal(tables.contributions(rows[i : i + 1])[0], bulk[i])
        assert np.array_equal(tables.margins(rows[i : i + 1])[0], margins[i])
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda i: tables.contributions(rows[i : i + 40])[0], range(200)))
    assert np.array_equal(together, bulk[:200])


def test_no_rows_give_no_contributions():
    tables = LeafTables(read_forest(grown(**KINDS["stumps"]).model_to_string()))
    assert tables.contributions(np.empty((0, 5))).shape == (0, 6)
    assert tables.margins(np.empty((0, 5))).shape == (0,)


def averaged():
    parameters = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}
    return grown(columns=5, trees=2, **parameters).model_to_string()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lambda: "", "not the text"),
        (lambda: "pickle", "not the text"),
        (averaged, "averaged"),
        (lambda: grown(columns=5, trees=2, linear_tree=True).model_to_string(), "linear"),
        (lambda: grown(columns=5, trees=2).model_to_string().partition("Tree=1")[0], "before its last"),
        (lambda: grown(columns=5, trees=2).model_to_string().replace("threshold=", "threshold=x"), "damaged"),
        (lambda: grown(columns=5, trees=2).model_to_string().replace("left_child=", "left="), "damaged"),
        (
            lambda: grown(columns=5, trees=2).model_to_string().replace("num_cat=0", "num_cat=1"),
            "categorical",
        ),
    ],
)
def test_a_model_that_cannot_be_explained_exactly_is_refused(text, message):
    with pytest.raises(Faults, match=message):
        read_forest(text())


def test_the_digest_of_a_scores_inputs_separates_values_and_joins_missing_ones():
    from training.risk_model import digests

    other_missing = np.array([0x7FF8000000000001], dtype="<u8").view("<f8")[0]
    row_digests = digests(
        np.array([[1.0, np.nan, 0.0], [1.0, other_missing, -0.0], [1.0, 0.0, 0.0], [1.0 + 1e-15, np.nan, 0.0]])
    )
    assert row_digests[0] == row_digests[1]
    assert len(set(row_digests)) == 3
