"""A feature that depends on the future fails the gate, and so does a leakage test of other histories or features."""

import pytest

from tests.support.gates import assert_fails, assert_needs_every_input, put


def a_feature_moved(parts):
    parts["evidence"]["leaks"].update(leaks=[{"feature": "past_cases"}], holds=False)


def other_histories(parts):
    put(parts, "other", "evidence", "leaks", "data_digest")


def other_features(parts):
    put(parts, "other", "evidence", "leaks", "catalogue_digest")


def too_few_snapshots(parts):
    put(parts, 3, "evidence", "leaks", "snapshots")


def nothing_was_changed(parts):
    put(parts, {"attendance": {"changed": 0}}, "evidence", "leaks", "rows")


@pytest.mark.parametrize(
    "spoil", [a_feature_moved, other_histories, other_features, too_few_snapshots, nothing_was_changed]
)
def test_gate_fails_for_each_reason(good, spoil):
    assert_fails("G004", good, spoil)


def test_gate_needs_every_input(good):
    assert_needs_every_input("G004", good)
