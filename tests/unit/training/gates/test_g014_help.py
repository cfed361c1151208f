"""Outcomes that help changed fail the gate if they were used as they came, or if nobody can tell; a named way of handling them passes."""

import pytest

from tests.support.gates import assert_fails, assert_needs_every_input, changed, put, verdict
from training.fitting.helped import LEAVE_OUT, NOBODY, WAYS

SOURCES = [("recipe", "helped"), ("evidence", "helped")]  # what taught the version, and what it was judged by


def after_help(at):
    def spoil(parts):
        put(parts, 1, *at, "helped")

    return spoil


def in_another_way(parts):
    put(parts, 1, "recipe", "helped", "helped")
    put(parts, "somehow", "recipe", "question", "helped")


def unrecorded(at, until="never"):
    def spoil(parts):
        put(parts, until, *at, "recorded_until")

    return spoil


def stated_against_the_records(parts):
    put(parts, 1, "recipe", "helped", "helped")
    put(parts, NOBODY, "recipe", "question", "helped")


def handled_without_records(parts):
    put(parts, "never", "recipe", "helped", "recorded_until")
    put(parts, LEAVE_OUT, "recipe", "question", "helped")


REASONS = [
    *map(after_help, SOURCES),
    *map(unrecorded, SOURCES),
    unrecorded(SOURCES[0], "2024-08-31"),
    *(unrecorded(at, "2025-03-12") for at in SOURCES),  # 61 days before the windows end: the record has stopped
    in_another_way,
    stated_against_the_records,
    handled_without_records,
]


@pytest.mark.parametrize("spoil", REASONS)
def test_gate_fails_for_each_reason(good, spoil):
    assert_fails("G014", good, spoil)


def test_gate_needs_every_input(good):
    assert_needs_every_input("G014", good)


@pytest.mark.parametrize("way", WAYS)
def test_a_named_way_passes_however_many_were_helped_and_says_what_became_of_them(good, way):
    parts = changed(good, after_help(SOURCES[0]))
    put(parts, way, "recipe", "question", "helped")
    put(parts, 1, "recipe", "helped", "left_out")
    assert verdict("G014", parts).passed
    said = f"learnt: 1 of 200,000 snapshots were helped, 1 are left out; outcomes: {way}; judged by: 0 of 200,000"
    assert verdict("G014", parts).measured.startswith(said)


@pytest.mark.parametrize("at", SOURCES)
def test_without_a_record_of_help_it_cannot_be_judged_once_lists_were_served_unless_that_is_stated(good, at):
    parts = changed(good, unrecorded(at))
    said = verdict("G014", parts).measured
    assert (
        "cannot be judged: lists were served from 2024-09-01, outcomes go on to 2025-05-12, and no help is recorded"
        in said
    )
    put(parts, NOBODY, *(("recipe", "question", "helped") if at[0] == "recipe" else (*at, "way")))
    assert verdict("G014", parts).passed


@pytest.mark.parametrize(
    ("served", "recorded", "judged"),
    [
        ("2024-09-01", "2025-03-13", True),  # 60 days before 2025-05-12
        ("2024-09-01", "2025-03-12", False),
        ("2025-05-01", "2025-04-30", False),  # help of before the first list
        ("2025-05-01", "2025-05-01", True),
    ],
)
def test_the_record_of_help_reaches_nearly_to_the_end_of_the_windows(good, served, recorded, judged):
    parts = changed(good, unrecorded(SOURCES[0], recorded))
    put(parts, served, "log", "served_since")
    assert ("cannot be judged" not in verdict("G014", parts).measured) is judged


@pytest.mark.parametrize("served", ["never", "2025-05-13"])
def test_outcomes_from_before_the_first_list_need_no_record_of_help(good, served):
    parts = changed(good, unrecorded(SOURCES[0]))
    put(parts, served, "log", "served_since")
    assert verdict("G014", parts).passed
