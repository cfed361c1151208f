"""Outcomes that help changed fail the gate if they were learnt as they came; a named way of handling them passes."""

import pytest

from tests.support.gates import assert_fails, assert_needs_every_input, changed, put, verdict
from training.fitting.helped import WAYS


def learnt_after_help(parts):
    put(parts, 1, "recipe", "helped", "helped")


def another_way(parts):
    learnt_after_help(parts)
    put(parts, "somehow", "recipe", "question", "helped")


@pytest.mark.parametrize("spoil", [learnt_after_help, another_way])
def test_gate_fails_for_each_reason(good, spoil):
    assert_fails("G014", good, spoil)


def test_gate_needs_every_input(good):
    assert_needs_every_input("G014", good)


@pytest.mark.parametrize("way", WAYS)
def test_a_named_way_passes_however_many_were_helped(good, way):
    parts = changed(good, learnt_after_help)
    put(parts, way, "recipe", "question", "helped")
    assert verdict("G014", parts).passed
    assert verdict("G014", parts).measured == f"1 of 200,000 snapshots were helped; outcomes: {way}"
