"""A log that does not verify, or lacks the version or the champion, fails the gate."""

import pytest

from tests.support.gates import assert_fails, assert_needs_every_input, put


def changed_line(parts):
    parts["log"].update(whole=False, why="line 1: it was changed")


def other_champion(parts):
    put(parts, 2, "log", "alias")


def unknown_version(parts):
    put(parts, 1, "log", "version")


@pytest.mark.parametrize("spoil", [changed_line, other_champion, unknown_version])
def test_gate_fails_for_each_reason(good, spoil):
    assert_fails("G012", good, spoil)


def test_gate_needs_every_input(good):
    assert_needs_every_input("G012", good)
