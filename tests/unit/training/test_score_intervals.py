"""Coverage: a score's interval contains the true rate among children with such a score, in worlds with known true risks."""

import math

import numpy as np
import pytest

from benchmarks.coverage import binned
from training.fitting import uncertainty
from training.fitting.candidates import Learning, boosted
from training.measures import calibration

NAMES = ["absent_rate_90d", "unauthorised_rate_90d", "school_lost_730d", "suspensions_365d"]
SETTINGS = {**boosted.DEFAULTS, "rounds": 60, "learning_rate": 0.1, "feature_fraction": 1.0, "negative_share": 1.0}
WORLDS = 8


def children(rng, rows):
    """Features and true risks: about one child in twenty goes missing."""
    x = rng.random((rows, len(NAMES)))
    return x, 1 / (1 + np.exp(5 - 3 * x[:, 0] - 1.5 * x[:, 2]))


def world(seed):
    """Train on some children, calibrate on others, and return margins, half widths, calibrator and truth of a third set."""
    rng = np.random.default_rng(seed)
    x, risk = children(rng, 3000)
    past = Learning(x=x, y=(rng.random(3000) < risk).astype(float), weight=np.ones(3000), names=NAMES, seed=seed)
    booster = boosted.train(past, SETTINGS)
    x, risk = children(rng, 3000)
    margins, label = booster.predict(x, raw_score=True), (rng.random(3000) < risk).astype(float)
    a, b = calibration.fit(margins, label)
    fitted = {"a": a, "b": b, "bootstrap": calibration.bootstrap(margins, label, np.arange(3000), seed, 50)}
    fitted["spread"] = uncertainty.spread(past, np.arange(3000), x, margins, boosted.learner(SETTINGS))
    x, truth = children(rng, 10_000)
    return booster.predict(x, raw_score=True), fitted, truth


@pytest.fixture(scope="module")
def worlds():
    return [world(seed) for seed in range(WORLDS)]


def inside(worlds, **changes):
    """Return the share of bins by score whose interval contains the true rate, and the mean width in log-odds."""
    held, widths = [], []
    for margins, fitted, truth in worlds:
        how = {**fitted, **changes}
        half = calibration.half_width(margins, how)
        logit = how["a"] * margins + how["b"]
        low, high, true = binned(margins, 1 / (1 + np.exp(half - logit)), 1 / (1 + np.exp(-half - logit)), truth, 8).T
        held.append((low <= true) & (true <= high))
        widths.append(2 * half.mean())
    return np.mean(held), np.mean(widths)


def test_intervals_hold_the_true_rate_and_are_not_empty_words(worlds):
    """Intervals are wider than needed for the rate: the boosters' spread is that of a single child's score."""
    share, width = inside(worlds)
    assert share >= 0.95
    assert width < 1.5  # log-odds from end to end: about twice either way


def test_most_intervals_hold_the_childs_risk_too(worlds):
    covered = []
    for margins, fitted, truth in worlds:
        logit = fitted["a"] * margins + fitted["b"]
        covered.append(np.abs(np.log(truth / (1 - truth)) - logit) <= calibration.half_width(margins, fitted))
    assert np.mean(covered) >= 0.8


def test_each_part_of_the_interval_is_needed(worlds):
    whole, width = inside(worlds)
    without_spread, _ = inside(worlds, spread={})
    without_both, _ = inside(worlds, bootstrap=[[1.0, 0.0]], spread={})
    assert without_both < 0.1 < without_spread < 0.9 < whole
    assert inside(worlds, bootstrap=[[1.0, 0.0]])[1] < width


def other_rules(seed):
    """Six terms whose rates differ, and whose low risks do not fall as far as the score says; calibrated on five of them."""
    rng = np.random.default_rng(seed)
    margins, term = rng.normal(-4.5, 1.3, 18_000), np.repeat(np.arange(6), 3_000)
    logit = np.log(np.exp(margins + rng.normal(0, 0.25, 6)[term]) + 0.004)
    truth = 1 / (1 + np.exp(-logit))
    label, known = (rng.random(len(truth)) < truth).astype(float), term < 5
    calibrating = margins[known], label[known]
    pair = calibration.fit(*calibrating)
    pairs = calibration.bootstrap(*calibrating, np.arange(len(calibrating[0])), seed, 30)
    profile = uncertainty.between(*calibrating, np.ones(len(calibrating[0])), term[known], pair)
    return margins[~known], {"a": pair[0], "b": pair[1], "bootstrap": pairs, "between": profile}, truth[~known]


def test_intervals_hold_where_terms_differ_and_the_curve_is_another():
    """Resampled children show neither: one line is fitted to all terms and all risks."""
    several = [other_rules(seed) for seed in range(20)]
    before, _ = inside(several, between={})
    after, width = inside(several)
    assert before < 0.65
    assert 0.9 < after < 0.99
    assert width < 1.3


def test_fewer_calibrating_outcomes_widen_the_interval_and_many_alike_terms_hardly_do():
    """Nothing says that terms are alike where few outcomes are known of each; many outcomes do."""
    width = {}
    for rows in (2_000, 400_000):
        rng = np.random.default_rng(rows)
        margins, term = rng.normal(-4.5, 1.0, rows), np.arange(rows) % 5
        label = (rng.random(rows) < 1 / (1 + np.exp(-margins))).astype(float)
        profile = uncertainty.between(margins, label, np.ones(rows), term, calibration.fit(margins, label))
        assert np.all(np.diff(profile["margin"]) > 0)
        width[rows] = max(profile["sd"])
    assert width[400_000] < 0.15 < 0.2 < width[2_000] < 0.4


@pytest.mark.parametrize("label", [0.0, 1.0])
@pytest.mark.parametrize("terms", [1, 3])
def test_without_any_outcome_and_in_one_term_the_profile_is_finite(label, terms):
    margins = np.linspace(-6, 2, 300)
    one = np.full(300, label)
    profile = uncertainty.between(margins, one, np.ones(300), np.arange(300) % terms, calibration.fit(margins, one))
    assert np.isfinite(profile["sd"]).all()
    assert np.all(np.diff(profile["margin"]) > 0)


def test_probabilities_are_the_same_on_every_processor():
    """NumPy's exponential is not, and scores that are kept as numbers are made again to the byte."""
    log_odds = np.random.default_rng(1).normal(-4, 2, 20_000)
    assert calibration.sigmoid(log_odds).tolist() == [1 / (1 + math.exp(-x)) for x in log_odds.tolist()]
    assert calibration.risk(log_odds, 1.0, 0.0).tolist() == calibration.sigmoid(log_odds).tolist()
    ends = calibration.sigmoid(np.array([-np.inf, -1e6, 1e6, np.inf, np.nan]))
    assert ends[:2].max() < 1e-300
    assert ends[2:4].tolist() == [1.0, 1.0]
    assert math.isnan(ends[4])
