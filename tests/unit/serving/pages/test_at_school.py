"""Where a child is taught, in words: true for every destination, and no school named that the child has left."""

from datetime import date

import pytest

from histories.codes import code_set
from serving.pages import at_school as module
from serving.pages.at_school import at_school
from serving.pages.family import attends
from serving.pages.wording import Wording

WORDS = Wording.load("en")
NAMES = {"100": "Hill School"}
CHILD = {"urn": "100", "nc_year": 4, "roll_year": 4, "left_on": None, "left_to": None, "off_roll": False}
SAID = {
    "state_school": "Year 4, left for another state school in March, on no roll known here",
    "independent_school": "Year 4, left for an independent school in March",
    "home_education": "Year 4, home educated since March, no school",
    "other_authority": "Year 4, left for a school in another authority in March",
    "abroad": "Year 4, left England in March, no school here",
    "custody": "Year 4, went into custody in March, no school",
    "over_age": "beyond school age, on no roll since March",
    "deceased": "has died; on a roll until March",
    "missing_education": "Year 4, missing from education since March, on no roll",
    "unknown": "Year 4, on no roll since March, and the roll names no destination",
}


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(module, "london_today", lambda: date(2026, 11, 30))


def test_there_are_words_for_every_destination():
    assert SAID.keys() == code_set("destination").keys()


@pytest.mark.parametrize(("left_to", "said"), SAID.items(), ids=SAID)
def test_where_a_child_went_is_said_and_no_school(left_to, said):
    child = CHILD | {"left_on": date(2026, 3, 13), "left_to": left_to}
    assert at_school(child, NAMES, WORDS) == said
    assert at_school(child, NAMES, WORDS, begins=True)[0].isupper()
    long_ago = child | {"left_on": date(2024, 3, 13)}
    assert at_school(long_ago, NAMES, WORDS) == said.replace("March", "March 2024")


@pytest.mark.parametrize(("roll_year", "said"), [(4, "Year 4"), (3, "Year 3 (Year 4 by age)"), (None, "Year 4 by age")])
@pytest.mark.parametrize("gone", [{}, {"left_on": date(2026, 3, 13), "left_to": "abroad"}, {"off_roll": True}])
def test_the_year_group_is_that_of_the_roll_wherever_the_child_is_now(gone, roll_year, said):
    assert at_school(CHILD | gone | {"roll_year": roll_year}, NAMES, WORDS).startswith(f"{said}, ")


def test_a_grown_up_is_in_no_year_group_and_is_taught_nowhere():
    child = CHILD | {"left_on": date(2024, 3, 13), "nc_year": 12}
    for left_to in SAID.keys() - {"deceased"}:
        assert at_school(child | {"left_to": left_to}, NAMES, WORDS) == SAID["over_age"].replace("March", "March 2024")
    assert at_school(child | {"left_to": "deceased"}, NAMES, WORDS) == "has died; on a roll until March 2024"


def test_a_child_on_a_roll_is_at_its_school():
    assert at_school(CHILD, NAMES, WORDS) == "Year 4, Hill School"
    assert at_school(CHILD | {"urn": "200"}, NAMES, WORDS) == "Year 4, 200"
    assert at_school(CHILD | {"urn": None}, NAMES, WORDS) == "Year 4, No school known"
    assert at_school(CHILD | {"urn": "", "off_roll": True}, NAMES, WORDS) == "Year 4, on no roll now"


@pytest.mark.parametrize("gone", [{"left_on": date(2026, 3, 13)}, {"off_roll": True}])
def test_no_silent_register_is_told_of_a_child_on_no_roll(gone):
    child = CHILD | {"possible": 0, "missed": 0, "until": date(2026, 11, 27)}
    assert attends(child, WORDS)
    assert attends(child | gone, WORDS) == ""
    for missed, said in ((3, "3"), (0, "none"), (20, "20")):
        line = attends(child | gone | {"possible": 20, "missed": missed}, WORDS)
        assert line == f"Before that, missed {said} of 20 sessions in the four weeks to 27 November 2026."
