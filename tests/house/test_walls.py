"""The walls: rooms import only to their left, nothing imports in a circle, and private names stay at home."""

import re

import pytest

from tests.house.code import ROOMS, circles, crowded, imports, misplaced, modules, unnamed

HOUSE = [m for m in modules().values() if m.room in ROOMS]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_to_its_left(room):
    right = ROOMS[ROOMS.index(room) + 1 :]
    wrong = [
        f"{m.path} imports {to}" for m in HOUSE if m.room == room for to, _ in imports(m) if to.split(".")[0] in right
    ]
    assert not wrong


def test_no_circle_of_imports():
    assert circles() == []


def test_private_names_stay_in_their_room():
    wrong = [
        f"{m.path} takes {name} from {to}"
        for m in HOUSE
        for to, name in imports(m)
        if to.split(".")[0] != m.room and (name or to.rpartition(".")[2]).startswith("_")
    ]
    assert not wrong


def test_the_house_imports_no_tests():
    wrong = [
        f"{m.path} imports {to}" for m in HOUSE for to, _ in imports(m) if to.split(".")[0] in ("tests", "benchmarks")
    ]
    assert not wrong


def test_tests_share_code_through_support_only():
    wrong = [
        f"{m.path} imports {to}"
        for m in modules().values()
        if m.room == "tests"
        for to, _ in imports(m)
        if to.startswith("tests.") and to.split(".")[1] not in ("support", "house")
    ]
    assert not wrong


def test_no_folder_is_crowded():
    assert crowded() == []


def test_the_page_of_a_large_folder_names_everything_in_it():
    assert unnamed() == []


def test_every_line_is_laid_out_by_the_formatter():
    assert [row for m in modules().values() for row in misplaced(m)] == []


def test_a_day_is_a_day_in_england():
    """The machine's time zone and UTC are a day behind after midnight in summer: ``histories.calendar`` says which day it is."""
    elsewhere = re.compile(r"\b(?:date|datetime)\.today\b|\bnow\([^)]*\)\.date\(|\bnow\.date\(|\bcurrent_date\b")
    sources = {
        m.path: m.source for m in modules().values() if not m.path.endswith("clocks.py")
    }  # which list such names
    wrong = [f"{path}: {found}" for path, source in sources.items() for found in elsewhere.findall(source)]
    assert not wrong
