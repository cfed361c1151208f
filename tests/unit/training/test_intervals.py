"""Intervals agree with SciPy's and have their nominal coverage."""

import numpy as np
import pytest
from scipy.stats import binomtest, chi2
from scipy.stats.contingency import relative_risk as scipy_relative_risk

from features.groups.disclosure import SMALLEST, rounded
from training.measures.intervals import (
    ROUNDING,
    bootstrap,
    design_effect,
    difference,
    observed_over_expected,
    relative_risk,
    wilson,
)

RNG = np.random.Generator(np.random.PCG64(7))


@pytest.mark.parametrize(("count", "of"), [(0, 12), (3, 12), (12, 12), (40, 9000)])
def test_a_share_is_wilsons(count, of):
    ours, theirs = wilson(count, of), binomtest(count, of).proportion_ci(method="wilson")
    assert (ours.value, ours.low, ours.high) == pytest.approx((count / of, theirs.low, theirs.high))


def test_a_relative_risk_is_katzs():
    ours, theirs = relative_risk(22, 1000, 78, 5000), scipy_relative_risk(22, 1000, 78, 5000)
    low, high = theirs.confidence_interval(0.95)
    assert (ours.value, ours.low, ours.high) == pytest.approx((theirs.relative_risk, low, high))


@pytest.mark.parametrize("count", [1, 8, 40])
def test_observed_over_expected_is_near_the_exact_interval(count):
    ours = observed_over_expected(count, 1.0)
    exact = chi2.ppf(0.025, 2 * count) / 2, chi2.ppf(0.975, 2 * count + 2) / 2
    assert (ours.low, ours.high) == pytest.approx(exact, rel=0.02, abs=0.1)


def test_intervals_without_events_are_missing():
    assert wilson(0, 0) is None
    assert relative_risk(0, 10, 5, 50) is None
    assert observed_over_expected(3, 0.0) is None


def covered(intervals, truth):
    each = np.broadcast_to(truth, len(intervals))
    return np.mean([i.low <= t <= i.high for i, t in zip(intervals, each, strict=True)])


@pytest.mark.parametrize(("of", "peers", "rate", "ratio"), [(4000, 36000, 0.003, 2.0), (900, 9000, 0.02, 1.4)])
def test_printed_relative_risks_cover_the_truth(of, peers, rate, ratio):
    # As `describe` does it: from rounded counts, where the group's is not hidden.
    events, others = RNG.binomial(of, ratio * rate, 3000), RNG.binomial(peers, rate, 3000)
    drawn = [
        relative_risk(rounded(a), of, rounded(a + b) - rounded(a), peers, rounding=ROUNDING)
        for a, b in zip(events, others, strict=True)
        if a > SMALLEST
    ]
    assert 0.93 <= covered(drawn, ratio) <= 0.98


def test_shares_and_their_differences_cover_the_truth():
    # Over many true shares: for a single one the coverage of counts jumps up and down (Brown, Cai and DasGupta 2001).
    p, q = RNG.uniform(0.05, 0.5, (2, 3000))
    first = [wilson(a, 25) for a in RNG.binomial(25, p)]
    second = [wilson(b, 60) for b in RNG.binomial(60, q)]
    assert 0.93 <= covered(first, p) <= 0.98
    assert 0.93 <= covered([difference(a, b) for a, b in zip(first, second, strict=True)], p - q) <= 0.98


def test_pupils_who_are_counted_several_times_widen_intervals():
    pupil = np.repeat(np.arange(400), 5)
    label = np.repeat(RNG.binomial(1, 0.1, 400), 5).astype(float)
    assert design_effect(label, pupil) == pytest.approx(5, rel=0.1)
    assert design_effect(label, np.arange(2000)) == pytest.approx(1, abs=0.01)
    low, high = bootstrap(lambda w: (w * label).sum() / w.sum(), pupil, seed=1)
    clustered = wilson(label.sum(), len(label), design_effect(label, pupil))
    assert (low, high) == pytest.approx((clustered.low, clustered.high), abs=0.015)


def test_the_bootstrap_leaves_out_what_is_not_finite_and_is_the_same_for_the_same_seed():
    pupil = np.arange(50)

    def figure(w):
        return np.array([w[:3].sum() / w[3:6].sum(), w.mean()])

    with np.errstate(all="ignore"):
        first, second = (bootstrap(figure, pupil, seed=3, times=300) for _ in range(2))
    assert np.isfinite(first).all()
    assert np.array_equal(first, second)
