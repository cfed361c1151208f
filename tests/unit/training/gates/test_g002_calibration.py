"""A calibration slope out of range fails, and so does an interval entirely out of its range."""

import pytest

from tests.support.gates import FIGURES, assert_fails, assert_needs_every_input, put


def slope_too_low(parts):
    put(parts, 0.4, *FIGURES, "calibration_slope")


def interval_below(parts):
    put(parts, [0.5, 0.7], *FIGURES, "calibration_slope_interval")


def interval_above(parts):
    put(parts, [1.3, 1.9], *FIGURES, "calibration_slope_interval")


@pytest.mark.parametrize("spoil", [slope_too_low, interval_below, interval_above])
def test_gate_fails_for_each_reason(good, spoil):
    assert_fails("G002", good, spoil)


def test_gate_needs_every_input(good):
    assert_needs_every_input("G002", good)
