"""A version behind the champion, or compared with another one, does not replace it."""

import pytest

from tests.support.gates import LIMITS, assert_fails, assert_needs_every_input, changed, put, verdict


def behind(parts):
    put(parts, -0.001, "evidence", "champion", "average_precision", "lead")


def compared_with_another_version(parts):
    put(parts, 3, "evidence", "champion", "version")


def compared_with_another_bundle(parts):
    put(parts, "other", "evidence", "champion", "bundle")


@pytest.mark.parametrize("spoil", [behind, compared_with_another_version, compared_with_another_bundle])
def test_gate_fails_for_each_reason(good, spoil):
    assert_fails("G001", good, spoil)


def test_gate_needs_every_input(good):
    assert_needs_every_input("G001", good)


def first_champion(parts):
    parts["log"]["champion"], parts["evidence"]["champion"] = 0, None


def own_champion(parts):
    parts["log"]["champion"], parts["evidence"]["champion"] = 2, None


@pytest.mark.parametrize("alone", [first_champion, own_champion])
def test_without_another_champion_there_is_nothing_to_beat(good, alone):
    assert verdict("G001", changed(good, alone)).passed


def test_the_limits_can_require_the_lower_end_of_the_interval(good):
    limits = {**LIMITS, "G001": {"least_lead": 0.0, "surely": True}}
    assert not verdict("G001", good, limits).passed
    better = changed(good, lambda p: put(p, [0.001, 0.02], "evidence", "champion", "average_precision", "interval"))
    assert verdict("G001", better, limits).passed
