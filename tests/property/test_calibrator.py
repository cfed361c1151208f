"""Calibration: whatever the margins, the fit ends, keeps the order, and promises as many children as went missing."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from histories.errors import Faults
from training.measures import calibration

ROWS = 400


def drawn(seed, width, centre, rate, link):
    """Margins of some width, and labels that follow them as much as ``link`` says."""
    rng = np.random.default_rng(seed)
    shape = rng.normal(size=ROWS) if seed % 2 else rng.integers(0, 12, ROWS).astype(float)
    chance = 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + link * (shape - shape.mean()))))
    return centre + width * shape, (rng.random(ROWS) < chance).astype(float), rng.integers(0, 4, ROWS) * 2.5


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    width=st.sampled_from([1e-6, 0.01, 1.0, 3.0, 50.0, 1e4, 1e17]),
    centre=st.sampled_from([-60.0, -4.0, 0.0, 9.0]),
    rate=st.sampled_from([0.003, 0.041, 0.5, 0.97]),
    link=st.sampled_from([-1.0, 0.0, 0.3, 2.0, 50.0]),
    weighted=st.booleans(),
)
def test_the_mean_of_the_risks_is_the_base_rate_and_the_order_stays(seed, width, centre, rate, link, weighted):
    margins, labels, weights = drawn(seed, width, centre, rate, link)
    if not weighted:
        weights = np.ones(ROWS)
    a, b = calibration.fit(margins, labels, weights)
    assert a > 0
    assert np.isfinite(b)
    base_rate = np.average(labels, weights=weights)
    assert np.average(calibration.risk(margins, a, b), weights=weights) == pytest.approx(base_rate, abs=2e-4)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), width=st.sampled_from([0.01, 1.0, 30.0, 1e5]), label=st.sampled_from([0.0, 1.0]))
def test_none_or_all_positive_is_fitted(seed, width, label):
    margins, _, _ = drawn(seed, width, 0.0, 0.5, 0.0)
    a, b = calibration.fit(margins, np.full(ROWS, label))
    assert a > 0
    assert calibration.risk(margins, a, b).mean() == pytest.approx(label, abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(width=st.sampled_from([0.01, 1.0, 30.0, 1e5]), cut=st.floats(0.02, 0.98))
@example(width=1.0, cut=0.5)
def test_separable_rows_are_fitted(width, cut):
    margins = np.linspace(-1, 1, ROWS) * width
    labels = (margins > np.quantile(margins, cut)).astype(float)
    a, b = calibration.fit(margins, labels)
    assert calibration.risk(margins, a, b).mean() == pytest.approx(labels.mean(), abs=1e-3)


def test_a_checklist_is_calibrated_in_few_steps(monkeypatch):
    """Margins 0 to 11 at a rate of 0.041: plain Newton ran in a circle and gave a mean of 0.909."""
    monkeypatch.setattr(calibration, "MAX_STEPS", 15)
    rng = np.random.default_rng(3)
    points = rng.integers(0, 12, 30_000).astype(float)
    went_missing = (rng.random(30_000) < 0.041).astype(float)
    a, b = calibration.fit(points, went_missing)
    assert calibration.risk(points, a, b).mean() == pytest.approx(went_missing.mean(), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), unit=st.sampled_from([1e3, 1e5]), shift=st.floats(-30, 30))
def test_the_fit_of_wide_margins_does_not_depend_on_their_unit(seed, unit, shift):
    margins, labels, _ = drawn(seed, 100.0, 0.0, 0.2, 1.0)
    risks = calibration.risk(margins, *calibration.fit(margins, labels))
    rescaled = (margins + shift) * unit
    assert calibration.risk(rescaled, *calibration.fit(rescaled, labels)) == pytest.approx(risks, abs=1e-6)


@pytest.mark.parametrize(
    ("drawing", "before"),
    [
        ((1, 1.0, -4.0, 0.041, 1.0), (1.6024356998073956, 2.443296231250469)),
        ((3, 0.5, -4.0, 0.041, 0.3), (0.49164037615363104, -0.9605340455971098)),
        ((5, 1.5, 0.0, 0.5, 2.0), (1.2078221300517165, 0.28242148109222726)),
        ((7, 2.0, -4.0, 0.01, 0.3), (0.18977368429365363, -4.054177695287681)),
    ],
)
def test_where_plain_newton_had_converged_the_fit_is_the_same(drawing, before):
    """So models released before the line search are reproduced."""
    assert calibration.fit(*drawn(*drawing)) == pytest.approx(before, abs=1e-9)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param({"margins": [np.nan, 1.0]}, id="margin"),
        pytest.param({"margins": [np.inf, 1.0]}, id="endless"),
        pytest.param({"labels": [np.nan, 1.0]}, id="label"),
        pytest.param({"weights": [np.nan, 1.0]}, id="weight"),
        pytest.param({"weights": [0.0, 0.0]}, id="no weight"),
        pytest.param({"margins": [], "labels": [], "weights": []}, id="no rows"),
    ],
)
def test_data_that_cannot_be_fitted_are_refused(spoil):
    values = {"margins": [0.0, 1.0], "labels": [0.0, 1.0], "weights": [1.0, 1.0]} | spoil
    with pytest.raises(Faults, match="cannot be fitted"):
        calibration.fit(*(np.array(values[name]) for name in ("margins", "labels", "weights")))


FAR_OFF = [(1.0, 0.0), (0.3, -7.0), (-3.0, 70.0), (8e15, -4e13), (1e-12, 30.0)]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    width=st.sampled_from([1e-6, 1.0, 50.0, 1e17]),
    centre=st.sampled_from([-60.0, 0.0, 9.0]),
    near=st.sampled_from(FAR_OFF),
)
def test_where_the_maximum_is_searched_does_not_say_where_it_is(seed, width, centre, near):
    margins, labels, weights = drawn(seed, width, centre, 0.041, 1.0)
    alone, found = (calibration.fit(margins, labels, weights, near=start) for start in (None, near))
    logits = [a * margins + b for a, b in (alone, found)]
    assert logits[1] == pytest.approx(logits[0], abs=1e-6)
    level = calibration.in_the_large(logits[0], labels, weights)
    assert calibration.in_the_large(logits[0], labels, weights, near=near[1]) == pytest.approx(level, abs=1e-6)


def test_a_resample_whose_margins_are_not_as_flat_as_those_of_all_rows_is_fitted():
    """All rows may agree but for their last bit, a resample too, and another hold what makes the slope's unit a thousand times as large."""
    margins = np.full(ROWS, -50.0)
    margins[::2] = np.nextafter(-50.0, 0)
    margins[0] = -49.0
    labels = (np.arange(ROWS) % 20 == 0).astype(float)
    pairs = calibration.bootstrap(margins, labels, np.arange(ROWS), seed=1)
    assert all(np.isfinite(pair).all() for pair in pairs)
    near = calibration.fit(margins[1:], labels[1:])
    a, b = calibration.fit(margins, labels, near=near)
    assert calibration.risk(margins, a, b).mean() == pytest.approx(labels.mean(), abs=1e-3)
