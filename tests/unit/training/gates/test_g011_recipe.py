"""A recipe of another model, or an incomplete one, fails the gate."""

import pytest

from tests.support.gates import assert_fails, assert_needs_every_input, put


def other_histories(parts):
    put(parts, "other", "recipe", "histories")


def other_features(parts):
    put(parts, "other", "recipe", "catalogue")


def other_seed(parts):
    put(parts, 2, "recipe", "seed")


def no_source(parts):
    put(parts, "", "recipe", "question", "definition", "source")


@pytest.mark.parametrize("spoil", [other_histories, other_features, other_seed, no_source])
def test_gate_fails_for_each_reason(good, spoil):
    assert_fails("G011", good, spoil)


def test_gate_needs_every_input(good):
    assert_needs_every_input("G011", good)
