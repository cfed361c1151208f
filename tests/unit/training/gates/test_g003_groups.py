"""A group in which clearly more or fewer children go missing than expected by the scores fails the gate."""

import pytest

from tests.support.gates import assert_fails, assert_needs_every_input, put
from tests.support.laid_before import groups


def risk_understated(parts):
    put(parts, {**groups((300, 100)), "left_out": parts["evidence"]["groups"]["left_out"]}, "evidence", "groups")


def risk_overstated(parts):
    put(parts, {**groups((30, 100)), "left_out": parts["evidence"]["groups"]["left_out"]}, "evidence", "groups")


@pytest.mark.parametrize("spoil", [risk_understated, risk_overstated])
def test_gate_fails_for_each_reason(good, spoil):
    assert_fails("G003", good, spoil)


def test_gate_needs_every_input(good):
    assert_needs_every_input("G003", good)
