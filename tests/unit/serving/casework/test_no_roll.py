"""Children on no roll: which, since when, and that nobody educated elsewhere is listed."""

from datetime import date, timedelta

import pytest

from histories.calendar import ONE_DAY, compulsory_school_age
from histories.reading.histories import Histories
from serving.casework.deadlines import find_deadlines
from serving.casework.leavers import find_leavers
from serving.casework.no_roll import find_off_roll
from serving.casework.rolls import REACH, last_spells, newest_spells
from serving.casework.school_days import SchoolDays
from serving.pages.settings import PageSettings

DAY = date(2025, 1, 13)
LATER = date(2026, 1, 12)  # more than a year after the leaving
BORN = "2013-05-01"  # Year 7
SPELL = {"pupil_id": "p", "urn": "1", "entry_date": "2020-09-02"}
LEFT = {**SPELL, "leaving_date": "2024-12-05", "leaving_recorded_on": "2024-12-06"}
OFFER = {
    "pupil_id": "p",
    "phase": "secondary",
    "entry_year": 2024,
    "applied_on": "2023-10-20",
    "offered_on": "2024-03-01",
    "offered_urn": "9",
}


@pytest.mark.parametrize(
    ("home", "school", "authority", "left_from"),
    [
        ("802", "801", "802", "801"),
        ("801", "801", "801", None),
        (None, "801", "801", None),  # not known: the last school's looks
        ("802", None, "802", None),
        ("Northshire", "801", "801", None),  # another spelling is no other authority
        ("E06000001", "801", "801", None),
        ("802", "E06000001", "E06000001", None),
        (None, None, "", None),
    ],
)
def test_a_child_on_no_roll_is_the_homes_and_one_on_a_roll_the_schools(home, school, authority, left_from):
    rows = {
        "pupils": [{"pupil_id": p, "date_of_birth": BORN, "authority": home} for p in ("p", "at school")],
        "enrolments": [LEFT, SPELL | {"pupil_id": "at school"}],
        "schools": [{"urn": "1", "phase": "primary", "authority": school}],
    }
    histories = Histories.from_rows(rows)
    spells = newest_spells(histories, DAY)
    whose = {r["pupil_id"]: (r["authority"], r["left_from"]) for r in spells.iter_rows(named=True)}
    assert whose == {"p": (authority, left_from), "at school": (school or home or "", None)}
    (child,) = find_off_roll(histories, spells, DAY)
    (leaver,) = find_leavers(spells)
    assert {(c.authority, c.left_from) for c in (child, leaver)} == {(authority, left_from)}
    days = SchoolDays.of(histories, spells, DAY, frozenset())
    due = {d.kind for d in find_deadlines(histories, spells, DAY, days, PageSettings.load(None).rules()).due}
    assert ("home_not_told" in due) == (left_from is not None)
    (child,) = find_off_roll(histories, newest_spells(histories, LATER), LATER)
    assert (child.kind, child.urn, child.authority, child.left_from) == ("none", "", authority, left_from)


def found(spells=(), born=BORN, **tables):
    """Return the kind, day and schools of the child, if the child is listed."""
    rows = {
        "pupils": [
            {"pupil_id": "p", "date_of_birth": born, "authority": "801"},
            {"pupil_id": "at school", "date_of_birth": BORN, "authority": "801"},
        ],
        "enrolments": [*spells, {"pupil_id": "at school", "urn": "1", "entry_date": "2020-09-02"}],
        **tables,
    }
    histories = Histories.from_rows(rows)
    children = find_off_roll(histories, last_spells(histories, DAY), DAY)
    assert {(c.pupil_id, c.authority, c.nc_year) for c in children} <= {("p", "801", 7)}
    return [(c.kind, str(c.since), c.urn, c.to_urn) for c in children]


@pytest.mark.parametrize("destination", [None, "unknown", "missing_education"])
def test_a_child_who_left_with_nowhere_to_go(destination):
    assert found([LEFT | {"destination": destination}]) == [("left", "2024-12-05", "1", None)]


@pytest.mark.parametrize(
    "destination", ["home_education", "abroad", "independent_school", "other_authority", "custody"]
)
def test_a_child_known_to_be_elsewhere_is_not_listed(destination):
    assert found([LEFT | {"destination": destination}]) == []


def test_a_child_with_a_place_and_on_no_roll():
    moves = LEFT | {"destination": "state_school", "destination_urn": "8"}
    assert found([moves]) == [("expected", "2024-12-05", "1", "8")]
    assert found([LEFT], admissions=[OFFER]) == [("expected", "2024-12-05", "1", "9")]
    assert found([], admissions=[OFFER]) == [("expected", "None", "", "9")]
    declined = OFFER | {"response": "declined", "response_on": "2024-03-10"}
    assert found([LEFT], admissions=[declined]) == [("left", "2024-12-05", "1", None)]


@pytest.mark.parametrize(
    ("destination", "entered", "offered", "kind"),
    [
        ("unknown", "2020-09-02", "2024-03-01", "expected"),  # never came to the school of the offer
        ("unknown", "2024-09-03", "2024-03-01", "left"),  # came, and left again
        ("missing_education", "2024-08-01", "2024-03-01", "left"),
        (None, "2024-07-31", "2024-03-01", "expected"),  # a primary school until the summer
        ("abroad", "2020-09-02", "2024-03-01", None),
        ("independent_school", "2024-09-03", "2024-03-01", None),
        (
            "home_education",
            "2020-09-02",
            "2024-12-20",
            "expected",
        ),  # the offer came later, and nobody has seen the child
        ("state_school", "2024-09-03", "2024-03-01", "expected"),  # another school, where the child is said to go
    ],
)
def test_an_offer_stands_until_a_roll_is_entered_or_the_child_leaves_for_somewhere_else(
    destination, entered, offered, kind
):
    spells = [SPELL | {"leaving_date": "2024-07-22"}] if entered > "2024-08" else []
    spells = [*spells, LEFT | {"urn": "2", "entry_date": entered, "destination": destination}]
    listed = found(spells, admissions=[OFFER | {"offered_on": offered}])
    place = {"expected": None if destination == "state_school" else "9"}
    assert listed == ([(kind, "2024-12-05", "2", place.get(kind))] if kind else [])


@pytest.mark.parametrize(("destination", "kinds"), [("deceased", []), ("abroad", ["expected"]), (None, ["expected"])])
def test_nobody_waits_for_a_child_who_died_whatever_was_planned(destination, kinds):
    planned = {**SPELL, "urn": "9", "entry_date": "2025-02-24", "recorded_on": "2024-11-01"}
    assert [kind for kind, *_ in found([LEFT | {"destination": destination}, planned])] == kinds


def test_a_child_on_no_roll_at_all():
    assert found() == [("none", "None", "", None)]
    long_ago = LEFT | {"leaving_date": "2023-02-01", "leaving_recorded_on": "2023-02-02", "destination": "unknown"}
    assert found([long_ago]) == [("none", "2023-02-01", "", None)]


@pytest.mark.parametrize("destination", [None, "unknown", "missing_education", "state_school"])
@pytest.mark.parametrize("days", [1, 364, 365, 366, 800])
def test_a_child_who_arrived_nowhere_stays_listed_however_long_ago_the_leaving_was(days, destination):
    left_on = DAY - timedelta(days=days)
    left = LEFT | {"leaving_date": str(left_on), "leaving_recorded_on": str(left_on), "destination": destination}
    recent = "expected" if destination == "state_school" else "left"
    assert [kind for kind, *_ in found([left])] == [recent if days <= REACH else "none"]


@pytest.mark.parametrize("born", ["2020-09-01", "2008-08-31"])
def test_a_child_too_young_or_too_old_for_school_is_not_listed(born):
    assert found(born=born) == []


def test_a_child_on_a_roll_or_whose_leaving_is_not_known_yet_is_not_listed():
    assert found([SPELL]) == []
    assert found([LEFT | {"leaving_recorded_on": "2025-01-13"}]) == []


@pytest.mark.parametrize(
    ("born", "left", "day", "is_listed"),
    [
        ("2020-02-10", "2024-11-29", "2025-01-13", False),  # Reception, aged 4
        ("2020-02-10", "2024-11-29", "2025-03-31", True),  # of compulsory school age from that day on
        ("2020-02-10", "2024-11-29", "2025-03-30", False),
        ("2019-10-10", "2024-11-29", "2025-01-13", True),  # Reception, aged 5
        ("2009-05-01", "2025-06-26", "2025-06-27", True),  # Year 11
        ("2009-05-01", "2025-06-26", "2025-06-28", False),
        ("2009-05-01", "2025-06-27", "2025-07-07", False),
        ("2009-05-01", "2025-07-22", "2025-09-08", False),
        ("2009-09-01", "2025-07-22", "2025-09-08", True),  # Year 10
    ],
)
def test_both_pages_ask_for_a_leaver_of_compulsory_school_age_and_for_no_other(born, left, day, is_listed):
    day = date.fromisoformat(day)
    rows = {"pupils": [{"pupil_id": "p", "date_of_birth": born}], "enrolments": [SPELL | {"leaving_date": left}]}
    histories = Histories.from_rows(rows)
    rolls = last_spells(histories, day)
    assert len(rolls) == (date.fromisoformat(left) < compulsory_school_age(date.fromisoformat(born))[1])
    assert [c.kind for c in find_off_roll(histories, rolls, day)] == (["left"] if is_listed else [])
    days = SchoolDays.of(histories, rolls, day, frozenset())
    due = {d.kind: d for d in find_deadlines(histories, rolls, day, days, PageSettings.load(None).rules()).due}
    stays = left == "2025-06-26" and not is_listed  # what began in time runs on
    asks = {"destination", "case_not_opened"}
    assert asks & due.keys() == (asks if is_listed or stays else set())
    begins = max(date.fromisoformat(left) + ONE_DAY, compulsory_school_age(date.fromisoformat(born))[0])
    assert {due[kind].started_on for kind in asks & due.keys()} <= {begins}


@pytest.mark.parametrize(
    ("day", "left", "kind"),
    [
        ("2025-07-28", "2025-07-22", "expected"),
        ("2025-08-31", "2025-07-22", "expected"),
        ("2025-09-08", "2025-07-22", "expected"),
        ("2025-07-28", "2025-02-03", "left"),  # missing since February, whatever comes in September
        ("2025-09-08", "2025-02-03", "expected"),
    ],
)
def test_in_summer_a_place_for_the_coming_september_is_a_place(day, left, kind):
    day = date.fromisoformat(day)
    rows = {
        "pupils": [{"pupil_id": "p", "date_of_birth": "2014-05-01", "authority": "801"}],  # Year 6
        "enrolments": [SPELL | {"leaving_date": left}],
        "admissions": [OFFER | {"entry_year": 2025, "applied_on": "2024-10-20", "offered_on": "2025-03-03"}],
    }
    histories = Histories.from_rows(rows)
    (child,) = find_off_roll(histories, last_spells(histories, day), day)
    assert (child.kind, child.to_urn) == (kind, "9" if kind == "expected" else None)
