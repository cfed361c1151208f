"""A rate of missing children that clearly differs from the predicted one fails the gate, upwards and downwards."""

import pytest

from tests.support.gates import assert_fails, assert_needs_every_input, put


def many_more(parts):
    put(parts, 600, "evidence", "groups", "overall", "counts", "missing")


def hardly_any(parts):
    put(parts, 20, "evidence", "groups", "overall", "counts", "missing")


@pytest.mark.parametrize("spoil", [many_more, hardly_any])
def test_gate_fails_for_each_reason(good, spoil):
    assert_fails("G013", good, spoil)


def test_gate_needs_every_input(good):
    assert_needs_every_input("G013", good)
