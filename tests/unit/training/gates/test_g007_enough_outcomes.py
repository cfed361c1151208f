"""Too few outcomes, or too few snapshots, fail the gate."""

import pytest

from tests.support.gates import FIGURES, assert_fails, assert_needs_every_input, put


def too_few_outcomes(parts):
    put(parts, 19, *FIGURES, "positives")


def too_few_snapshots(parts):
    put(parts, 999, *FIGURES, "snapshots")


@pytest.mark.parametrize("spoil", [too_few_outcomes, too_few_snapshots])
def test_gate_fails_for_each_reason(good, spoil):
    assert_fails("G007", good, spoil)


def test_gate_needs_every_input(good):
    assert_needs_every_input("G007", good)
