"""Natural mistakes of somebody who types ``import onroll``: each says what is wrong and what to do, and none is computed with."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import onroll
from histories.errors import Faults

DAY = "2025-01-13"
CANARY = "ZZCANARYZZ"


@pytest.fixture(scope="module")
def x(opened):
    return onroll.features(opened, DAY)


ROWS = {
    "an array": (lambda x: x.to_numpy(), "frame of pandas.*found by their names"),
    "lists": (lambda x: x.to_numpy().tolist(), "frame of pandas"),
    "one row": (lambda x: x.iloc[0], r"x\.iloc\[\[0\]\]"),
    "a frame of Polars": (lambda x: pl.from_pandas(x.reset_index()), r"\.to_pandas\(\)"),
    "a table of Arrow": (lambda x: pl.from_pandas(x.reset_index()).to_arrow(), r"\.to_pandas\(\)"),
    "columns of two levels": (lambda x: pd.concat({"a": x}, axis=1), "frame of pandas"),
    "the folder": (lambda x: "histories", "frame of pandas"),
    "a column less": (lambda x: x.drop(columns="absent_rate_14d"), r"missing: absent_rate_14d\n.*onroll\.features"),
    "a column misspelt": (
        lambda x: x.rename(columns={"absent_rate_14d": "absence_rate_14d"}),
        r"missing: absent_rate_14d\n.*Is absence_rate_14d meant for absent_rate_14d\?",
    ),
    "no names": (lambda x: x.set_axis(range(x.shape[1]), axis=1), "missing: .* and 116 more"),
    "columns twice": (lambda x: pd.concat([x, x], axis=1), "there twice: .* and 116 more\n.*duplicated"),
    "a text": (lambda x: x.assign(absent_rate_14d=CANARY), "no number: absent_rate_14d\n.*astype"),
    "numbers as text": (lambda x: x.astype({"absent_rate_14d": str}), "no number: absent_rate_14d"),
    "texts among objects": (lambda x: x.assign(absent_rate_14d=[CANARY] * len(x)).astype(object), "no number"),
    "dates": (lambda x: x.assign(absent_rate_14d=pd.Timestamp(DAY)), "no number: absent_rate_14d"),
    "infinity": (lambda x: x.assign(absent_rate_14d=np.inf), "infinite: absent_rate_14d\n.*NaN"),
}


@pytest.mark.parametrize("method", ["predict", "explain"])
@pytest.mark.parametrize("mistake", ROWS)
def test_rows_of_features_that_are_not(model, x, mistake, method):
    given, message = ROWS[mistake]
    with pytest.raises(Faults, match=f"(?s){message}") as refused:
        getattr(model, method)(given(x))
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize(
    "same",
    [
        lambda x: x[x.columns[::-1]].assign(surplus=CANARY),
        lambda x: x.reset_index(),
        lambda x: pd.concat([x, x[[]].assign(other=1), x[[]].assign(other=2)], axis=1),
        lambda x: x.astype(object).where(x.notna(), None),
        lambda x: x.convert_dtypes(dtype_backend="pyarrow"),
        lambda x: x.astype("Float64"),
    ],
    ids=["other order", "keys as columns", "others twice", "objects", "Arrow's types", "nullable"],
)
def test_the_same_rows_in_other_forms_give_the_same_risks(model, x, same):
    np.testing.assert_array_equal(model.predict(same(x)).to_numpy(), model.predict(x).to_numpy())


@pytest.mark.parametrize(
    "given", ["13/01/2025", "2025-02-30", "", "yesterday", 2025, None, pd.NaT, np.datetime64("NaT")]
)
@pytest.mark.parametrize("several", [False, True])
def test_what_is_no_day(opened, given, several):
    for ask in (onroll.features, onroll.labels):
        with pytest.raises(Faults, match=r"as_of: this is not a day\n.*like 2024-09-02"):
            ask(opened, [DAY, given] if several else given)
    with pytest.raises(Faults, match="until: this is not a day" if given is not None else "train"):
        onroll.train(opened, until=given)


@pytest.mark.parametrize(
    "given",
    [
        date(2025, 1, 13),
        datetime(2025, 1, 13, 9, 30),
        pd.Timestamp(DAY),
        np.datetime64(DAY),
        np.datetime64("2025-01-13T09:30"),
        [DAY],
        (date(2025, 1, 13), DAY),
        np.array([DAY], dtype="datetime64[ns]"),
        pd.DatetimeIndex([DAY]),
        pd.Series([DAY]),
    ],
    ids=repr,
)
def test_a_day_in_every_form_is_that_day(opened, x, given):
    pd.testing.assert_frame_equal(onroll.features(opened, given), x)


def test_a_moment_counts_as_its_day_in_england(opened):
    summer = datetime(2025, 6, 1, 23, 30, tzinfo=UTC)
    assert str(onroll.features(opened, summer).index[0][1]) == "2025-06-02"


MISTAKES = {
    "no days": (lambda h: onroll.features(h, []), "as_of: no day is given"),
    "the folder for histories": (lambda h: onroll.features("histories", DAY), r"open_histories\(FOLDER\)"),
    "labels of a folder": (lambda h: onroll.labels(Path("histories"), DAY), r"open_histories\(FOLDER\)"),
    "training on a folder": (lambda h: onroll.train("histories"), r"open_histories\(FOLDER\)"),
    "a horizon as text": (lambda h: onroll.labels(h, DAY, horizon="120"), "horizon: .*\n.*from 7 to 730"),
    "a horizon of nothing": (lambda h: onroll.labels(h, DAY, horizon=0), "horizon: .*\n.*from 7 to 730"),
    "a horizon backwards": (lambda h: onroll.train(h, horizon=-5), "horizon: .*\n.*from 7 to 730"),
    "half a day": (lambda h: onroll.labels(h, DAY, horizon=7.5), "horizon: .*\n.*whole number"),
    "an unknown definition": (lambda h: onroll.labels(h, DAY, definition="comissioner"), "one of any_unplanned_exit"),
    "a definition's path": (lambda h: onroll.labels(h, DAY, definition=Path("no.toml")), "no such definition"),
    "a cohort's path": (lambda h: onroll.features(h, DAY, cohort="no.toml"), "no.toml"),
    "an unknown engine": (lambda h: onroll.open_histories("x", engine="pandas"), "engine: .*\n.*duckdb, polars, spark"),
    "no folder": (lambda h: onroll.open_histories("historys"), "no such folder"),
    "too few to simulate": (lambda h: onroll.simulate("new", pupils=0), "--pupils: .*\n.*whole number from 100"),
    "numbers as text": (lambda h: onroll.simulate("new", pupils="100"), "--pupils: .*\n.*whole number from 100"),
    "half a child": (lambda h: onroll.simulate("new", pupils=100.5), "--pupils: .*\n.*whole number from 100"),
    "a day as text": (lambda h: onroll.simulate("new", last_day="today"), "--last-day: .*\n.*in Python a date"),
    "no scenario": (lambda h: onroll.simulate("new", scenario=Path("no.toml")), "one of default, drift"),
    "a folder with something": (lambda h: onroll.simulate(Path(__file__).parent), "Name a new folder"),
    "an unknown alias": (lambda h: onroll.load("onroll@chmpion"), "onroll models list"),
    "no alias": (lambda h: onroll.load("onroll"), "onroll@champion"),
    "MLflow's address": (lambda h: onroll.load("models:/onroll@champion"), "Write onroll@champion; mlflow.pyfunc"),
    "no model there": (lambda h: onroll.load(Path("nothing")), "no such model"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_says_what_to_do(opened, mistake):
    made, message = MISTAKES[mistake]
    with pytest.raises(Faults, match=message):
        made(opened)


def test_days_long_after_the_newest_records_are_warned_of(opened, recwarn):
    newest = opened.last_known()
    onroll.features(opened, newest)
    assert not recwarn.list
    with pytest.warns(UserWarning, match=f"as of 2031-01-13: the newest records of schooling are of {newest}"):
        onroll.features(opened, ["2031-01-13", DAY])


def test_a_cohort_is_scored_as_of_a_day_in_words(opened, model):
    scores = model.score(opened, DAY, top=1)
    assert [score.as_of for score in scores] == [date(2025, 1, 13)]
    with pytest.raises(Faults, match="not a day"):
        model.score(opened, "13/01/2025")
    with pytest.raises(Faults, match="open_histories"):
        model.score("histories", DAY)


WRONG = {
    "kind": "forest",
    "monotone": "yes",
    "rounds": "9",
    "learning_rate": 0,
    "num_leaves": 1,
    "max_depth": 0.5,
    "min_data_in_leaf": -1,
    "feature_fraction": 3,
    "lambda_l2": -1.0,
    "negative_share": 0,
    "strength": -1,
    "folds": 2.5,
    "random_state": "a",
}


def test_every_parameter_of_the_classifier_has_a_range():
    assert set(WRONG) == set(onroll.OnrollClassifier().get_params())


@pytest.mark.parametrize("name", WRONG)
def test_a_parameter_out_of_range_is_named_before_anything_is_learnt(name):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of OnrollClassifier must be"):
        onroll.OnrollClassifier(**{name: WRONG[name]}).fit(np.arange(8.0).reshape(4, 2), [0, 1, 0, 1])
