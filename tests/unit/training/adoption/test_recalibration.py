"""Recalibration follows local outcomes the more, the more of them are known, and changes nothing without any."""

import numpy as np
import pytest

from training.adoption import recalibration
from training.cli.adopt import compared
from training.measures import calibration

CALIBRATOR = {"a": 0.9, "b": -1.5, "bootstrap": [[0.9, -1.5], [0.85, -1.6], [0.95, -1.4]] * 30}


def local(rows, intercept=0.0, slope=1.0, seed=1):
    """Margins and labels of an authority whose log-odds differ from the calibrator's by a slope and an intercept."""
    rng = np.random.default_rng(seed)
    margins = rng.normal(-3.0, 1.5, rows)
    logit = slope * (CALIBRATOR["a"] * margins + CALIBRATOR["b"]) + intercept
    return margins, (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(float)


def adapted(margins, label):
    return recalibration.recalibrated(margins, label, np.ones(len(label)), CALIBRATOR)


def shift_of(margins, label):
    return recalibration.change(CALIBRATOR, adapted(margins, label), margins)


def test_without_rows_nothing_changes():
    assert adapted(np.zeros(0), np.zeros(0)) == (CALIBRATOR["a"], CALIBRATOR["b"])


def test_a_large_authority_is_followed_wherever_it_leads():
    margins, label = local(400_000, intercept=1.2, slope=0.7)
    a, b = adapted(margins, label)
    assert a == pytest.approx(0.7 * CALIBRATOR["a"], rel=0.03)
    assert b == pytest.approx(0.7 * CALIBRATOR["b"] + 1.2, abs=0.1)


def test_the_fewer_the_events_the_smaller_the_change():
    """The same data with smaller weights are the same rates from fewer events."""
    margins, label = local(40_000, intercept=0.8)
    changes = []
    for events in (1, 5, 20, 80, 320):
        weight = np.full(len(label), events / label.sum())
        pair = recalibration.recalibrated(margins, label, weight, CALIBRATOR)
        changes.append(recalibration.change(CALIBRATOR, pair, margins)[0])
    assert changes == sorted(changes)
    assert 0 < changes[0] < 0.25
    assert 0.5 < changes[2] < 0.78
    assert changes[-1] == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_an_authority_where_nobody_or_everybody_went_missing_keeps_a_finite_calibration(label):
    margins, _ = local(2_000)
    a, b = adapted(margins, np.full(2_000, label))
    assert np.isfinite([a, b]).all()
    assert a > 0


def test_the_order_of_children_is_kept():
    margins, label = local(3_000, slope=-3.0)
    assert adapted(margins, label)[0] > 0


def test_intervals_are_wider_with_fewer_events_and_hold_the_true_change():
    width, held = {}, 0
    for rows in (600, 20_000):
        margins, label = local(rows, intercept=0.3, seed=3)
        arguments = {"margins": margins, "label": label, "weight": np.ones(rows), "pupil": np.arange(rows), "seed": 1}
        pairs = recalibration.bootstrap(**arguments, calibrator=CALIBRATOR)
        assert len(pairs) == len(CALIBRATOR["bootstrap"])
        a, b = adapted(margins, label)
        at = np.array([-3.0])
        width[rows] = float(calibration.half_width(at, {"a": a, "b": b, "bootstrap": pairs})[0])
        truth = CALIBRATOR["a"] * -3.0 + CALIBRATOR["b"] + 0.3
        held += abs(a * -3.0 + b - truth) < width[rows]
    assert held == 2
    assert width[600] > 1.5 * width[20_000]


@pytest.mark.parametrize(("loss", "brier", "is_worse"), [(0.3, 0.2, True), (0.3, 0.1, False), (0.2, 0.1, False)])
def test_who_adopts_is_told_where_the_risks_as_they_came_did_better(loss, brier, is_worse):
    found = {"log_loss": {"ridge": loss, "unadapted": 0.25}, "brier": {"ridge": brier, "unadapted": 0.15}}
    assert ("did better here" in " ".join(compared(found, "ridge"))) == is_worse
