"""Versions compared: each predicts only what it has not seen, on the same snapshots and the same resamples of pupils."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from features.catalogue import catalogue
from training.bundle import read_bundle
from training.fitting.candidates import Learning, boosted
from training.fitting.splits import split
from training.release.gate_evidence import Contender, compare_paired, compare_with_champion, evaluate_again

DAYS = [date(2020 + n // 3, (1, 4, 9)[n % 3], 10) for n in range(11)]
SETTINGS = {**boosted.DEFAULTS, "rounds": 15, "learning_rate": 0.2, "min_data_in_leaf": 5, "feature_fraction": 1.0}


@pytest.fixture(scope="module")
def frame():
    """150 pupils on eleven days: those with a high ``a`` go missing, ``b`` is noise."""
    rng = np.random.default_rng(1)
    rows = [
        {
            "pupil_id": f"P{p}",
            "as_of": d,
            "authority": f"{p % 2}",
            "a": float(rng.normal()),
            "b": float(rng.normal()),
            "known_on": d + timedelta(days=180),
        }
        for d in DAYS
        for p in range(150)
    ]
    return pl.DataFrame(rows).with_columns((pl.col("a") > 1.3).cast(pl.Float64).alias("label"))


@pytest.fixture
def version(bundle, frame):
    _, manifest = read_bundle(bundle)

    def trained(names, newest, settings=SETTINGS):
        days = [d for d in DAYS if d <= newest]
        learned = frame.filter(pl.col("as_of").is_in(days))
        learning = Learning(
            x=learned.select(names).to_numpy(),
            y=learned["label"].to_numpy(),
            weight=np.ones(len(learned)),
            names=names,
            seed=1,
        )
        text = boosted.train(learning, settings).model_to_string()
        own_manifest = replace(
            manifest,
            features=names,
            trained_on=[str(d) for d in days],
            catalogue_digest=catalogue().digest,
            feature_digests={},
        )
        return Contender(text, own_manifest, {"released": settings}, "digest")

    return trained


def test_a_version_itself_predicts_only_days_after_its_training_data(frame, version):
    evaluated = evaluate_again(version(["a"], DAYS[8]), frame, split(frame), 1)
    assert list(evaluated.how.values()) == ["anew", "anew", "released", "released"]
    assert list(evaluated.how) == [str(d) for d in DAYS[-4:]]
    assert evaluate_again(version(["a"], DAYS[-1]), frame, split(frame), 1).how == dict.fromkeys(evaluated.how, "anew")


def test_a_version_of_another_catalogue_is_retrained_on_the_features_that_remain(frame, version):
    old = version(["a", "b"], DAYS[7])
    other = Contender(
        old.booster, replace(old.manifest, features=["a", "gone"], catalogue_digest="other"), old.recipe, ""
    )
    evaluated = evaluate_again(other, frame, split(frame), 1)
    assert set(evaluated.how.values()) == {"anew"}
    np.testing.assert_array_equal(
        evaluated.margins, evaluate_again(version(["a"], DAYS[-1]), frame, split(frame), 1).margins
    )


def test_the_better_version_is_clearly_ahead_and_the_other_clearly_behind(frame, version):
    splits = split(frame)
    good, bad = version(["a"], DAYS[-1]), version(["b"], DAYS[8])
    ahead = compare_with_champion(
        version=good, evaluated=evaluate_again(good, frame, splits, 1), champion=bad, frame=frame, splits=splits, seed=1
    )
    behind = compare_with_champion(
        version=bad, evaluated=evaluate_again(bad, frame, splits, 1), champion=good, frame=frame, splits=splits, seed=1
    )
    for figure in ("average_precision", "precision_top_25_a_list"):
        assert ahead[figure]["interval"][0] > 0
        assert behind[figure]["interval"][1] < 0
    assert ahead["average_precision"]["lead"] == pytest.approx(-behind["average_precision"]["lead"])


def test_the_same_recipe_is_trained_once_and_is_not_ahead_of_itself(frame, version, monkeypatch):
    splits, contender = split(frame), version(["a"], DAYS[-1])
    evaluated = evaluate_again(contender, frame, splits, 1)
    fresh = evaluate_again(contender, frame, splits, 1)
    np.testing.assert_array_equal(evaluated.margins, fresh.margins)
    monkeypatch.setattr(boosted, "learner", None)
    comparison = compare_with_champion(
        version=contender, evaluated=evaluated, champion=contender, frame=frame, splits=splits, seed=1
    )
    assert comparison["average_precision"] == {"lead": 0.0, "interval": [0.0, 0.0], "within_noise": True}
    assert (comparison["snapshots"], comparison["positives"]) == (600, int(evaluated.frame["label"].sum()))


def test_the_interval_resamples_pupils(frame, version):
    """Repeating each pupil ten times does not make it narrower, as resampling rows would."""
    splits = split(frame)
    one, other = (evaluate_again(version([n], DAYS[-1]), frame, splits, 1) for n in ("a", "b"))
    interval = compare_paired(one, other, 1)["average_precision"]["interval"]
    many = [replace(a, frame=pl.concat([a.frame] * 10), margins=np.tile(a.margins, 10)) for a in (one, other)]
    same = compare_paired(*many, 1)["average_precision"]["interval"]
    assert np.diff(same)[0] == pytest.approx(np.diff(interval)[0], rel=0.3)


def test_a_version_is_retrained_on_parts_of_windows_only_if_it_learned_from_them(frame, version):
    went = pl.col("label") == 1
    parts = frame.with_columns(
        happened_on=pl.when(went).then(pl.col("as_of") + timedelta(days=5)),
        recorded_on=pl.when(went).then(pl.col("as_of") + timedelta(days=6)),
        matured_on=pl.col("as_of") + timedelta(days=180),
        window_days=pl.lit(120, pl.Int64),
        already_stopping=pl.lit(False),
        weight=pl.lit(1.0),
    )
    splits, old = split(parts), version(["a"], DAYS[-1])
    new = replace(old, recipe={**old.recipe, "parts": True})
    with_parts, without = (evaluate_again(v, parts, splits, 1) for v in (new, old))
    np.testing.assert_array_equal(without.margins, evaluate_again(old, frame, splits, 1).margins)
    assert not np.array_equal(with_parts.margins, without.margins)
    # The other's predictions are no stand-in for its own.
    np.testing.assert_array_equal(evaluate_again(old, parts, splits, 1, (new, with_parts)).margins, without.margins)
