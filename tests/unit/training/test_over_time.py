"""Time in training: models are trained on outcomes known before a day, evaluated on later days, and chosen by regret."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from features.catalogue import catalogue
from histories.errors import Faults
from training.evaluation.mistakes import profile
from training.evaluation.seen_pupils import seen_and_unseen
from training.fitting.candidates import Candidate
from training.fitting.rolling_origin import Predictions, judge_all, predict
from training.fitting.sampling import sample
from training.fitting.selection import choose
from training.fitting.splits import split
from training.measures.evaluate import Judged, Resamples, calibrated, interval, judge

DAYS = [date(2020 + n // 3, (1, 4, 9)[n % 3], 10) for n in range(11)]
DELAY = timedelta(days=180)


def snapshots(pupils=60, missing=6):
    """Snapshots on eleven days; the first few pupils go missing each time, and outcomes are known 180 days later."""
    return pl.DataFrame(
        [
            {
                "pupil_id": f"P{p}",
                "as_of": d,
                "authority": f"{p % 2}",
                "label": float(p < missing),
                "known_on": d + DELAY,
                "a": float(-p),
            }
            for d in DAYS
            for p in range(pupils)
        ]
    )


def test_an_origin_learns_only_from_outcomes_known_before_it():
    splits = split(snapshots())
    assert [o.day for o in splits.origins] == DAYS[-6:]
    assert splits.test == DAYS[-4:]
    for origin in splits.origins:
        assert origin.learned == tuple(d for d in DAYS if d + DELAY < origin.day)


def test_the_picture_has_a_letter_for_every_date():
    text = split(snapshots()).text()
    assert f"{DAYS[-1]}  LLLLLLLLL.J" in text
    assert f"{DAYS[-6]}  LLLL.C" in text


@pytest.mark.parametrize(
    "frame", [snapshots().filter(pl.col("as_of") < DAYS[4]), snapshots(missing=0), snapshots(missing=1)]
)
def test_too_few_days_are_refused(frame):
    with pytest.raises(Faults, match="needed"):
        split(frame)


def test_no_candidate_is_given_a_row_that_was_not_known():
    """A candidate that records its training data never sees labels of its own day or unknown outcomes."""
    given, frame = [], snapshots()
    keep = Candidate("keep", "", lambda learning: (given.append(len(learning.y)), lambda x: x[:, 0])[1])
    splits = split(frame)
    predict(frame, ["a"], splits, [keep], 1)
    assert given == [60 * len(o.learned) for o in splits.origins]


def predictions_of(margins):
    frame = snapshots().filter(pl.col("as_of").is_in(DAYS[-6:]))
    origin = frame["as_of"].rank("dense").to_numpy().astype(int) - 1
    return Predictions(
        frame=frame,
        origin=origin,
        judged=origin >= 2,
        seen=frame["pupil_id"].is_in(["P0", "P9"]).to_numpy(),
        margins={n: m(frame) for n, m in margins.items()},
    )


def right_order(f):
    return f["a"].to_numpy()


def wrong_order(f):
    return -f["a"].to_numpy()


def wrong_on_the_last_day(f):
    return np.where(f["as_of"].to_numpy() < np.datetime64(DAYS[-1]), f["a"].to_numpy(), -f["a"].to_numpy())


def nearly_right(f):
    """The right order, but for the two highest of all, who change places."""
    order = f["a"].to_numpy().copy()
    first, second = np.argsort(-order)[:2]
    order[[first, second]] = order[[second, first]]
    return order


def test_the_candidate_with_the_least_regret_is_chosen_and_the_rule_is_judged_too():
    predictions = predictions_of({"sometimes": wrong_on_the_last_day, "right": right_order, "wrong": wrong_order})
    chosen, story = choose(predictions, ["wrong", "sometimes"], 1)
    assert chosen == "sometimes"
    assert story["mean_regret"]["sometimes"] < story["mean_regret"]["wrong"]
    chosen, story = choose(predictions, ["sometimes", "right"], 1)
    assert chosen == "right"
    assert story["within_noise"] == ["right"]
    assert story["lost_by_the_rule_next_time"][:-1] == [0, 0, 0, 0]
    assert story["lost_by_the_rule_next_time"][-1] > 0


def test_among_candidates_within_noise_the_first_named_is_chosen():
    predictions = predictions_of({"safe": nearly_right, "best": right_order, "wrong": wrong_order})
    chosen, story = choose(predictions, ["safe", "best", "wrong"], 1)
    assert chosen == "safe"
    assert story["within_noise"] == ["safe", "best"]
    assert story["mean_regret"]["best"] <= story["mean_regret"]["safe"]
    assert choose(predictions, ["best", "safe", "wrong"], 1)[0] == "best"


def test_a_lead_is_called_noise_where_its_interval_contains_zero():
    predictions = predictions_of({"right": right_order, "same": right_order, "wrong": wrong_order})
    figures, against = judge_all(predictions, "right", 1)
    assert figures["right"]["average_precision"] == 1
    assert against["same"]["average_precision"]["within_noise"]
    assert against["wrong"]["average_precision"]["lead"] > 0.5
    assert not against["wrong"]["average_precision"]["within_noise"]


def test_risks_at_an_origin_are_calibrated_on_the_origins_before_it():
    predictions = predictions_of({"right": right_order})
    before = predictions.risk("right")
    later = predictions.origin == predictions.origin.max()
    changed = predictions.frame.with_columns(
        pl.when(pl.col("as_of") == DAYS[-1]).then(1 - pl.col("label")).otherwise("label").alias("label")
    )
    after = Predictions(
        frame=changed,
        origin=predictions.origin,
        judged=predictions.judged,
        seen=predictions.seen,
        margins=predictions.margins,
    ).risk("right")
    assert np.isnan(before[predictions.origin == 0]).all()
    np.testing.assert_array_equal(before[later], after[later])


def test_pupils_learned_from_and_others_are_judged_apart():
    figures = seen_and_unseen(predictions_of({"right": right_order}), "right", 3)
    assert (figures["seen"]["positives"], figures["unseen"]["positives"]) == (4, 20)
    assert figures["unseen"]["recall"] == 1
    assert figures["seen"]["precision"] == 1


def test_a_weighted_sample_gives_the_populations_figures_for_seen_and_unseen():
    frame = snapshots(pupils=3000, missing=120).filter(pl.col("as_of") == DAYS[-1])
    rng = np.random.default_rng(4)
    margin, in_training = rng.normal(size=3000) + 2 * frame["label"].to_numpy(), rng.random(3000) < 0.5

    def weighed(f):
        row = f["row"]
        return Predictions(
            frame=f,
            origin=np.zeros(len(f), int),
            judged=np.ones(len(f), bool),
            seen=in_training[row],
            margins={"own": margin[row]},
        )

    frame = frame.with_row_index("row")
    whole = weighed(frame)
    share_key = seen_and_unseen(whole, "own", 400)
    assert seen_and_unseen(weighed(sample(frame, 1.0, 1)), "own", 400) == share_key
    drawn = [seen_and_unseen(weighed(sample(frame, 0.2, seed)), "own", 400) for seed in range(40)]
    for part in ("seen", "unseen"):
        for figure, true in share_key[part].items():
            assert np.mean([d[part][figure] for d in drawn]) == pytest.approx(true, rel=0.05), figure
    counts = [profile_counts(weighed(sample(frame, 0.2, seed)), 400) for seed in range(20)]
    assert np.mean(counts, axis=0) == pytest.approx(profile_counts(whole, 400), abs=2.5)  # they are rounded to 5


def profile_counts(predictions, capacity):
    padded = predictions.frame.with_columns(*(pl.lit(0.0).alias(n) for n in catalogue().names))
    padded_predictions = Predictions(
        frame=padded,
        origin=predictions.origin,
        judged=predictions.judged,
        seen=predictions.seen,
        margins=predictions.margins,
    )
    return list(profile(padded_predictions, "own", capacity)["children"].values())


def test_ties_are_reported_as_worst_expected_and_best():
    judged = Judged(
        score=np.zeros(100),
        label=np.r_[np.ones(10), np.zeros(90)],
        pupil=np.arange(100),
        list_of=np.zeros(100, int),
        weight=np.ones(100),
    )
    figures, _ = judge(judged, None, Resamples(judged.pupil, 1, 20))
    at = figures["at_capacity"]["top_50_a_list"]
    assert (at["precision"], at["precision_ties"], at["recall"]) == (0.1, [0.0, 0.2], 0.5)
    assert at["number_needed"] == 10


def test_resampled_pupils_are_drawn_with_all_their_snapshots():
    pupil = np.repeat(np.arange(50), 4)
    for weight in Resamples(pupil, 1, 5).weights:
        assert (weight.reshape(50, 4) == weight.reshape(50, 4)[:, :1]).all()
        assert weight.sum() == len(pupil)


def test_an_interval_without_values_is_missing():
    assert interval(np.array([np.nan, np.nan])) == [None, None]


def test_a_weighted_sample_is_judged_like_the_population():
    rng = np.random.default_rng(1)
    label = (rng.random(20_000) < 0.02).astype(float)
    score = np.round(rng.normal(size=20_000) + 2 * label, 1)
    everybody = Judged(
        score=score, label=label, pupil=np.arange(20_000), list_of=rng.integers(0, 3, 20_000), weight=np.ones(20_000)
    )
    kept = (label == 1) | (rng.random(20_000) < 0.3)
    weight = np.where(label[kept] == 1, 1, 1 / 0.3)
    some = Judged(
        score=score[kept],
        label=label[kept],
        pupil=np.arange(kept.sum()),
        list_of=everybody.list_of[kept],
        weight=weight,
    )
    share_key, of_some = (judge(j, None, Resamples(j.pupil, 1, 5))[0] for j in (everybody, some))
    for name in ("average_precision", "auc", "base_rate"):
        assert of_some[name] == pytest.approx(share_key[name], rel=0.1)
    for name in ("top_1.0%", "top_50_a_list"):
        assert of_some["at_capacity"][name]["precision"] == pytest.approx(
            share_key["at_capacity"][name]["precision"], rel=0.25
        )
        assert of_some["at_capacity"][name]["listed"] == pytest.approx(
            share_key["at_capacity"][name]["listed"], rel=0.01
        )


@pytest.mark.parametrize("too_high", [0.0, 0.7])
def test_the_intercept_says_by_how_much_risks_are_overstated_on_the_whole(too_high):
    """High risks are overstated and low ones understated: a slope of a half, which alone moves no mean."""
    rng = np.random.default_rng(2)
    logit = rng.normal(-5.0, 1.2, 60_000)
    label = (rng.random(60_000) < 1 / (1 + np.exp(-(0.5 * logit - 2.3)))).astype(float)
    # Moved until as many are expected as went missing.
    low, high = -5.0, 5.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if (1 / (1 + np.exp(-logit - middle))).mean() > label.mean() else (middle, high)
    risk = 1 / (1 + np.exp(-logit - low - too_high))
    figures = calibrated(risk, label, np.ones(60_000), Resamples(np.arange(60_000), 1, 50))
    assert figures["calibration_slope"] == pytest.approx(0.5, abs=0.1)
    assert figures["calibration_intercept"] == pytest.approx(-too_high, abs=0.02)
    least, most = figures["calibration_intercept_interval"]
    assert least < -too_high < most
    assert most - least < 0.5
