"""The trainer cannot approve, in any spelling, and a reason is needed."""

import pytest

from tests.support.gates import assert_fails, assert_needs_every_input, put


def approved_by_the_trainer(parts):
    put(parts, " Tess", "approver")


def no_reason(parts):
    put(parts, "  ", "reason")


@pytest.mark.parametrize("spoil", [approved_by_the_trainer, no_reason])
def test_gate_fails_for_each_reason(good, spoil):
    assert_fails("G010", good, spoil)


def test_gate_needs_every_input(good):
    assert_needs_every_input("G010", good)
