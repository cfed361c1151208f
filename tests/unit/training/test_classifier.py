"""onroll's candidates as scikit-learn uses them."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from training.classifier import KINDS, OnrollClassifier

# Probabilities are calibrated on folds of rows: a row that occurs twice lies in two folds, a row of weight two in one.
NOT_PASSED = {"check_sample_weight_equivalence_on_dense_data": "calibration is fitted on folds of rows"}


def rows(n=400, seed=1):
    """Rows in which absence decides, one column says nothing and one is half empty."""
    rng = np.random.default_rng(seed)
    absent = rng.uniform(0, 1, n)
    x = pd.DataFrame(
        {
            "absent_rate_365d": absent,
            "noise": rng.normal(size=n),
            "half": np.where(rng.random(n) < 0.5, np.nan, absent + rng.normal(size=n)),
        }
    )
    return x, (rng.random(n) < 0.05 + 0.8 * absent**2).astype(int)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_scikit_learns_checks_hold_but_for_those_named(kind):
    model = OnrollClassifier(kind, rounds=10)
    results = check_estimator(model, expected_failed_checks=NOT_PASSED)
    assert {r["check_name"] for r in results if r["status"] == "xfail"} <= set(NOT_PASSED)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_probabilities_are_calibrated_and_explained_exactly(kind):
    x, y = rows()
    model = OnrollClassifier(kind, min_data_in_leaf=10, random_state=3).fit(x, y)
    risk = model.predict_proba(x)[:, 1]
    assert risk.mean() == pytest.approx(y.mean(), abs=0.05)
    assert risk[y == 1].mean() > risk[y == 0].mean() + 0.1
    explained = model.explain(x)
    margins = explained.values.sum(axis=1) + explained.base_values
    slope, intercept = model.calibrator_
    np.testing.assert_allclose(slope * margins + intercept, model.decision_function(x), atol=1e-9)
    assert list(explained.feature_names) == list(x.columns)


def test_directions_of_the_catalogue_hold_for_its_columns_only():
    x, y = rows()
    against = 1 - y  # the more absence, the less of the outcome: the direction forbids to learn it
    held = OnrollClassifier("ridge", random_state=0).fit(x[["absent_rate_365d"]], against)
    free = OnrollClassifier("ridge", monotone=False, random_state=0).fit(x[["absent_rate_365d"]], against)
    assert np.ptp(held.scorer_.margins(x[["absent_rate_365d"]].to_numpy())) == 0
    assert np.ptp(free.scorer_.margins(x[["absent_rate_365d"]].to_numpy())) > 0.1


def test_a_fitted_model_is_cloned_and_pickled_and_the_same_seed_gives_the_same_model():
    x, y = rows(200)
    model = OnrollClassifier(rounds=30, min_data_in_leaf=5, random_state=7).fit(x, y)
    again = clone(model).fit(x, y)
    np.testing.assert_array_equal(model.predict_proba(x), again.predict_proba(x))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(x), model.predict_proba(x))


@pytest.mark.parametrize(
    ("y", "kind", "message"),
    [
        ([0, 0, 0, 0], "mean", "1 class"),
        ([0, 1, 2, 1], "mean", "multiclass"),
        ([0, 1, 0, 1], "forest", "'kind' parameter"),
    ],
)
def test_what_it_cannot_learn_is_refused(y, kind, message):
    with pytest.raises(ValueError, match=message):
        OnrollClassifier(kind).fit(np.arange(8.0).reshape(4, 2), y)
