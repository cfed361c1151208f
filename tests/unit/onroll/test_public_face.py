"""``import onroll``: the names it hands on, and what each does for a notebook."""

import subprocess
import sys
from datetime import date

import numpy as np
import pandas as pd
import pytest

import onroll
from histories.errors import Faults
from histories.settings import settings
from tests.support.released import alias, release
from training.fitting.candidates.boosted import DEFAULTS

DAYS = ["2025-01-13", "2025-04-28"]


@pytest.fixture(scope="module")
def x(opened):
    return onroll.features(opened, DAYS)


@pytest.mark.parametrize("name", onroll.__all__)
def test_every_name_is_handed_on_and_documented(name):
    value = getattr(onroll, name)
    assert value.__doc__
    assert value.__module__.split(".")[0] in ("histories", "features", "training")
    assert name in dir(onroll)


def test_importing_it_imports_nothing_slow():
    slow = "{'pandas', 'polars', 'lightgbm', 'sklearn', 'shap', 'mlflow'}"
    code = f"import sys, onroll; print(sorted({slow} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing_like_it"):
        onroll.nothing_like_it


def test_features_are_a_frame_by_pupil_and_day(opened, x):
    assert list(x.index.names) == ["pupil_id", "as_of"]
    assert x.index.is_unique
    assert {pd.Timestamp(day).date() for day in x.index.get_level_values("as_of")} == {
        date.fromisoformat(day) for day in DAYS
    }
    assert x.dtypes.eq("float64").all()
    one = onroll.features(opened, date(2025, 1, 13))
    pd.testing.assert_frame_equal(one, x.xs(x.index[0][1], level="as_of", drop_level=False))


def test_labels_belong_to_the_same_snapshots_and_an_open_window_has_none(opened, x):
    y = onroll.labels(opened, DAYS, definition="cme_register", horizon=60)
    assert set(y.index) == set(x.index)
    assert y["label"].dropna().isin([0, 1]).all()
    late = onroll.labels(opened, DAYS, horizon=364)
    assert late["label"].isna().any()


def test_predictions_explanations_and_the_classifier_work_on_the_same_frame(model, x):
    risks = model.predict(x)
    assert risks.index.equals(x.index)
    assert ((risks["risk_low"] <= risks["risk"]) & (risks["risk"] <= risks["risk_high"])).all()
    explained = model.explain(x)
    assert explained.values.shape == x.shape
    np.testing.assert_allclose(explained.values.sum(axis=1) + explained.base_values, risks["margin"], atol=1e-9)
    classifier = onroll.OnrollClassifier("ridge", random_state=0).fit(x, risks["risk"] > risks["risk"].median())
    assert classifier.predict_proba(x).shape == (len(x), 2)


def test_shap_draws_the_explanations(model, x):
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    import shap

    explained = model.explain(x.head(50))
    shap.plots.beeswarm(explained, show=False)
    shap.plots.waterfall(explained[0], show=False)
    assert plt.get_fignums()
    plt.close("all")


def test_the_champion_is_loaded_as_its_log_says_and_not_after_an_exchange(bundle):
    current = settings()
    folder = release(current.releases, bundle, 1)
    alias(current.releases, champion=1)
    assert onroll.load().manifest.version == "1"
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(Faults):
        onroll.load()


class TrainingBeganError(Exception):
    """Ends a run where training would begin."""


def test_a_few_settings_of_the_booster_are_enough_and_a_wrong_one_is_named_before_training(opened, monkeypatch):
    given = {}

    def as_given(histories, task, **how):
        given.update(how)
        raise TrainingBeganError

    monkeypatch.setattr("training.pipeline.train", as_given)
    with pytest.raises(TrainingBeganError):
        onroll.train(opened, config={"rounds": 60})
    assert given["config"] == {**DEFAULTS, "rounds": 60}
    with pytest.raises(Faults, match="leafs"):
        onroll.train(opened, config={"leafs": 60})
