"""Moving up: who moves, and what is known of those without an application."""

from datetime import date

import pytest

from histories.reading.histories import Histories
from serving.casework.rolls import last_spells, newest_spells
from serving.casework.transitions import find_transitions

AUTUMN, WINTER = date(2026, 9, 28), date(2026, 11, 30)
BORN = {WINTER: "2016-05-05", AUTUMN: "2015-05-05"}  # Year 6, Year 7
SCHOOLS = [
    {"urn": "1", "phase": "primary", "low_age": 4, "high_age": 11},
    {"urn": "2", "phase": "special", "low_age": 4, "high_age": 16},
    {"urn": "3", "phase": "all-through"},
    {"urn": "4", "phase": "primary"},
    {"urn": "9", "phase": "secondary", "low_age": 11, "high_age": 16},
]
LOADED = {"pupil_id": "other", "phase": "secondary", "applied_on": "2025-09-20"}
ELSEWHERE = LOADED | {"pupil_id": "elsewhere"}


def moved(day, *spells, rows=(LOADED,), born=None):
    """Return the state of the child p as of a day, in a list; another child of the authority, and one of another, is at a primary school."""
    spells = spells or ({},)
    base = {"pupil_id": "p", "urn": "1", "entry_date": "2020-09-01"}
    pupils = [("p", born or BORN[day], "801"), ("other", BORN[day], "801"), ("elsewhere", BORN[day], "802")]
    year = day.year + (day == WINTER)
    tables = {
        "pupils": [{"pupil_id": p, "date_of_birth": b, "authority": a} for p, b, a in pupils],
        "enrolments": [*(base | s for s in spells), base | {"pupil_id": "other"}, base | {"pupil_id": "elsewhere"}],
        "admissions": [{"entry_year": year, **row} for row in rows],
        "schools": SCHOOLS,
    }
    histories = Histories.from_rows(tables)
    found = find_transitions(histories, last_spells(histories, day), day)
    return [move.state for move in found if move.pupil_id == "p"]


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        ((LOADED,), "no_application"),
        ((), "not_loaded"),
        ((ELSEWHERE,), "not_loaded"),  # another authority's
        ((LOADED | {"entry_year": 2026},), "not_loaded"),  # last year's
        ((LOADED | {"phase": "primary"},), "not_loaded"),
        ((LOADED | {"recorded_on": "2026-12-01"},), "not_loaded"),  # not known yet
        ((LOADED, {"pupil_id": "p", "phase": "secondary", "applied_on": "2026-10-20"}), "applied"),
    ],
)
def test_nobody_is_said_to_have_no_application_before_any_is_loaded(rows, state):
    assert moved(WINTER, rows=rows) == [state]


APPLIED = LOADED | {"pupil_id": "p"}


@pytest.mark.parametrize(("urn", "moves"), [("1", True), ("4", True), ("2", False), ("3", False)])
@pytest.mark.parametrize("day", [WINTER, AUTUMN])
def test_who_is_at_a_school_that_teaches_year_7_moves_only_after_asking_for_another(day, urn, moves):
    assert bool(moved(day, {"urn": urn})) == moves
    assert moved(day, {"urn": urn}, rows=[LOADED, APPLIED]) == ["applied" if day == WINTER else "not_on_roll"]


@pytest.mark.parametrize(
    ("born", "stated", "entered", "recorded", "roll_year"),
    [
        ("2016-08-20", None, "2021-09-01", None, 5),
        ("2016-08-20", "R", "2021-09-01", None, 4),  # began a year late, in Reception
        ("2016-08-20", "1", "2021-09-01", None, 5),
        ("2016-08-20", "5", "2021-09-01", "2025-10-20", 5),  # a census states the year of its own day
        ("2016-08-20", "4", "2021-09-01", "2025-10-20", 4),
        ("2016-08-20", "2", "2021-09-01", None, 6),  # a year ahead
        ("2016-08-20", "X", "2021-09-01", None, 5),
    ],
)
def test_the_year_of_the_roll_is_that_of_age_unless_the_roll_says_another(born, stated, entered, recorded, roll_year):
    spell = {"pupil_id": "p", "urn": "1", "entry_date": entered, "nc_year": stated}
    spell |= {"recorded_on": recorded} if recorded else {}
    pupil = {"pupil_id": "p", "date_of_birth": born, "authority": "801"}
    histories = Histories.from_rows({"pupils": [pupil], "enrolments": [spell]})
    (row,) = newest_spells(histories, date(2026, 7, 13)).iter_rows(named=True)
    assert (row["nc_year"], row["roll_year"]) == (5, roll_year)


def test_who_is_taught_a_year_behind_moves_a_year_later():
    deferred = {"entry_date": "2021-09-01", "nc_year": "R"}
    assert moved(WINTER, deferred, born="2016-08-20") == []
    assert moved(WINTER, {"entry_date": "2021-09-01", "nc_year": "1"}, born="2016-08-20") == ["no_application"]
    assert moved(AUTUMN, {"entry_date": "2020-09-01", "nc_year": "R"}, born="2015-08-20") == []


LEFT = {"leaving_date": "2026-07-22", "leaving_recorded_on": "2026-07-23"}


@pytest.mark.parametrize(
    ("spells", "states"),
    [
        ([{}], ["not_on_roll"]),  # still at the primary school
        ([LEFT], ["not_on_roll"]),
        ([LEFT | {"destination": "state_school"}], ["not_on_roll"]),
        ([LEFT | {"destination": "home_education"}], []),
        ([LEFT, {"urn": "9", "entry_date": "2026-09-02"}], ["on_roll"]),
        ([{"urn": "9", "entry_date": "2026-09-02"}], []),  # came from no school here
    ],
)
def test_a_child_without_an_application_is_not_dropped_in_september(spells, states):
    assert moved(AUTUMN, *spells) == states
