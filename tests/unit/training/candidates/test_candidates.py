"""Candidates, tuning and uncertainty on small random matrices."""

from datetime import date, timedelta
from functools import partial

import numpy as np
import polars as pl
import pytest

from features.catalogue import catalogue
from training.fitting import uncertainty
from training.fitting.candidates import Learning, boosted, grid, releasable
from training.fitting.parallel import in_parallel
from training.fitting.splits import split
from training.fitting.tuning import tune
from training.measures import calibration
from training.measures.metrics import average_precision, listed

SMALL = {
    **boosted.DEFAULTS,
    "rounds": 20,
    "learning_rate": 0.1,
    "min_data_in_leaf": 5,
    "feature_fraction": 1.0,
    "negative_share": 1.0,
}


def learning(rows=4000, seed=1):
    """A matrix in which absence and the school's rate of lost children raise the risk."""
    rng = np.random.default_rng(seed)
    x = rng.random((rows, len(catalogue().names)))
    x[:, catalogue().names.index("suspensions_365d")] = np.nan
    logit = (
        -4
        + 4 * x[:, catalogue().names.index("absent_rate_90d")]
        + 1.5 * x[:, catalogue().names.index("school_lost_730d")]
    )
    return Learning(
        x=x,
        y=(rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(float),
        weight=np.ones(rows),
        names=catalogue().names,
        seed=1,
    )


def test_bundles_of_features_and_a_shared_data_set_change_no_tree():
    import lightgbm

    past = learning()
    for at in range(5, 60):  # features that are seldom there, and never together, which LightGBM would bundle
        past.x[:, at] = np.where(np.arange(len(past.y)) % 60 == at, 1.0 + past.x[:, at].round(1), 0.0)
    settings = [
        {**boosted.DEFAULTS, "rounds": 20, "monotone": monotone, "min_data_in_leaf": least}
        for monotone, least in ((False, 40), (True, 40), (True, 200))
    ]
    jobs = [partial(boosted.train, past, of_one) for of_one in settings]
    for of_one, booster in zip(settings, in_parallel(jobs, len(past.y)), strict=True):
        bundled = lightgbm.Dataset(past.x, past.y, feature_name=past.names, params={"verbose": -1})
        told = boosted.parameters(past.names, of_one, past.seed, len(past.y))
        alone = lightgbm.train(told, bundled, of_one["rounds"])
        assert np.array_equal(booster.predict(past.x), alone.predict(past.x))


def test_every_candidate_orders_strangers_and_those_that_know_more_do_so_better():
    past, ahead = learning(), learning(seed=2)
    precision = {c.name: average_precision(c.learn(past)(ahead.x), ahead.y) for c in grid(SMALL)}
    assert set(precision) == {
        "base_rate",
        "best_single",
        "checklist",
        "surroundings",
        "ridge",
        "lightgbm_free",
        "lightgbm",
        "mean",
        "weighted_mean",
    }
    assert precision["ridge"] > precision["surroundings"] > precision["base_rate"]
    assert precision["lightgbm"] > precision["checklist"]
    assert precision["best_single"] > precision["surroundings"]


def test_the_fewer_trees_a_releasable_candidate_has_the_earlier_it_comes():
    assert releasable(grid(SMALL), SMALL) == ["ridge", "weighted_mean", "mean", "lightgbm"]
    free = {**SMALL, "monotone": False}
    assert set(releasable(grid(free), free)) == {"ridge", "weighted_mean", "mean", "lightgbm", "lightgbm_free"}


def test_the_surroundings_baseline_ignores_the_child():
    past, ahead = learning(), learning(seed=2)
    line = next(c for c in grid(SMALL) if c.name == "surroundings").learn(past)
    other = ahead.x.copy()
    other[:, catalogue().names.index("absent_rate_90d")] = 0
    np.testing.assert_array_equal(line(ahead.x), line(other))
    other[:, catalogue().names.index("school_lost_730d")] = 0
    assert (line(ahead.x) != line(other)).any()


def test_directions_hold_only_when_asked_for():
    past = learning()
    worse = Learning(
        x=past.x,
        y=(past.x[:, catalogue().names.index("unauthorised_rate_90d")] < 0.2).astype(float),
        weight=past.weight,
        names=catalogue().names,
        seed=1,
    )
    low, high = past.x[:200].copy(), past.x[:200].copy()
    (
        low[:, catalogue().names.index("unauthorised_rate_90d")],
        high[:, catalogue().names.index("unauthorised_rate_90d")],
    ) = 0.0, 1.0
    change = {c.name: c.learn(worse)(high) - c.learn(worse)(low) for c in grid(SMALL) if c.settings}
    assert (change["lightgbm"] >= 0).all()
    assert (change["lightgbm_free"] < 0).all()


def test_sampled_negatives_are_weighted_up():
    past = learning()
    less = past.with_fewer_negatives(500)
    assert less.y.sum() == past.y.sum()
    assert less.weight.sum() == pytest.approx(past.weight.sum())
    assert (past.weight == 1).all()


def test_the_list_of_each_authority_holds_as_many_and_ties_are_drawn_by_seed():
    lists = np.repeat([0, 1, 2], [5, 3, 1])
    chosen = listed(np.zeros(9), lists, 2, seed=3)
    assert np.bincount(lists, weights=chosen).tolist() == [2, 2, 1]
    assert (chosen == listed(np.zeros(9), lists, 2, seed=3)).all()
    assert listed(np.array([1.0, 3.0, 2.0]), np.zeros(3, int), 2).tolist() == [False, True, True]


@pytest.fixture(scope="module")
def frame():
    days = [date(2017 + n // 3, (1, 4, 9)[n % 3], 10) for n in range(18)]
    parts = []
    for n, day in enumerate(days):
        data = learning(300, seed=n)
        parts.append(
            pl.DataFrame(data.x, schema=catalogue().names).with_columns(
                pl.Series("label", data.y),
                pl.lit(day).alias("as_of"),
                pl.lit(day + timedelta(180)).alias("known_on"),
                pl.lit("801").alias("authority"),
                pl.Series("pupil_id", [f"P{i}" for i in range(300)]),
            )
        )
    return pl.concat(parts)


def test_tuning_starts_from_the_defaults_goes_on_where_it_stopped_and_uses_no_judged_day(frame, tmp_path):
    splits, on_trial = split(frame), []
    options = {"trials": 3, "start": SMALL, "seed": 1, "study": "s", "storage": tmp_path / "studies.db"}
    best = tune(frame, catalogue().names, splits, on_trial=lambda *trial: on_trial.append(trial), **options)
    assert on_trial[0][1]["rounds"] == SMALL["rounds"]
    assert set(best) == set(SMALL)
    again: list = []
    assert tune(frame, catalogue().names, splits, on_trial=lambda *trial: again.append(trial), **options) == best
    assert again == []
    tune(frame, catalogue().names, splits, on_trial=lambda *trial: again.append(trial), **{**options, "trials": 4})
    assert [trial[0] for trial in again] == [3]
    # Labels that were not known before the first judged day may be anything.
    unknown = pl.col("known_on") >= splits.test[0]
    other = frame.with_columns(pl.when(unknown).then(1 - pl.col("label")).otherwise("label").alias("label"))
    assert tune(other, catalogue().names, splits, **{**options, "study": "t"}) == best


def test_intervals_are_wider_where_boosters_differ_more():
    past, ahead = learning(), learning(seed=2)
    booster = boosted.train(past, SMALL)
    margins = booster.predict(ahead.x, raw_score=True)
    spread = uncertainty.spread(past, np.arange(len(past.y)), ahead.x, margins, boosted.learner(SMALL))
    assert np.all(np.diff(spread["margin"]) >= 0)
    assert min(spread["sd"]) >= 0
    assert max(spread["sd"]) > 0
    a, b = calibration.fit(margins, ahead.y)
    pairs = calibration.bootstrap(margins, ahead.y, np.arange(len(ahead.y)), 1, 30)
    with_spread = calibration.half_width(margins, {"a": a, "b": b, "bootstrap": pairs, "spread": spread})
    without = calibration.half_width(margins, {"a": a, "b": b, "bootstrap": pairs})
    assert (with_spread >= without).all()
    assert with_spread.mean() > without.mean()


def test_boosters_trained_in_parallel_equal_those_trained_in_turn(monkeypatch):
    several = [learning(seed=seed) for seed in range(5)]
    alone = [boosted.train(data, SMALL).model_to_string() for data in several]
    jobs = [lambda data=data: boosted.train(data, SMALL).model_to_string() for data in several]
    assert len(set(alone)) == 5
    assert list(in_parallel(jobs, 4000)) == alone
    # If one booster uses all processors, they run one after another with the same result.
    monkeypatch.setattr(boosted, "ALL_PROCESSORS", 4000)
    one_by_one = [text.replace("[num_threads: 0]", "[num_threads: 1]") for text in in_parallel(jobs, 10**9)]
    assert one_by_one == alone
