"""Files other than those registered fail the gate."""

import pytest

from tests.support.gates import assert_fails, assert_needs_every_input, put


def other_files(parts):
    put(parts, "other", "bundle", "digest")


def damaged_files(parts):
    put(parts, False, "bundle", "whole")


@pytest.mark.parametrize("spoil", [other_files, damaged_files])
def test_gate_fails_for_each_reason(good, spoil):
    assert_fails("G009", good, spoil)


def test_gate_needs_every_input(good):
    assert_needs_every_input("G009", good)
