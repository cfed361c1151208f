"""A model that does not clearly beat chance, or is behind the checklist, fails the gate."""

import pytest

from tests.support.gates import assert_fails, assert_needs_every_input, put


def within_noise_of_chance(parts):
    put(parts, [-0.01, 0.3], "manifest", "leads", "base_rate", "average_precision", "interval")


def behind_the_checklist(parts):
    put(parts, -0.01, "manifest", "leads", "checklist", "average_precision", "lead")


@pytest.mark.parametrize("spoil", [within_noise_of_chance, behind_the_checklist])
def test_gate_fails_for_each_reason(good, spoil):
    assert_fails("G008", good, spoil)


def test_gate_needs_every_input(good):
    assert_needs_every_input("G008", good)
