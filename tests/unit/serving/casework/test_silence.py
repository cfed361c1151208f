"""Registers that stop while the school is open are detected, for single children and whole schools."""

from datetime import date, timedelta

import pytest

from histories.calendar import school_days
from histories.reading.histories import Histories
from serving.casework.rolls import last_spells
from serving.casework.school_days import SchoolDays
from serving.casework.silence import SilentChild, SilentSchool, silent_registers

DAY = date(2025, 3, 10)
OPEN = school_days(date(2024, 9, 2), DAY - timedelta(days=1))


def silent(entered=(), authorities=(), closed=frozenset(), **codes):
    """Return the silent children and schools of children with a code for each school day, oldest first; one school each letter.

    A blank is no mark; a number stands for presence until so many school days ago.
    """
    marks = {p: "/" * (len(OPEN) - c) if isinstance(c, int) else c for p, c in codes.items()}
    tables = {
        "pupils": [
            {"pupil_id": p, "date_of_birth": "2013-05-01", "authority": dict(authorities).get(p[0], "801")}
            for p in marks
        ],
        "enrolments": [
            {"pupil_id": p, "urn": p[0], "entry_date": str(dict(entered).get(p, "2020-09-02"))} for p in marks
        ],
        "attendance": [
            {"pupil_id": p, "date": str(day), "session": session, "code": code}
            for p, of_days in marks.items()
            for day, code in zip(OPEN, of_days, strict=False)
            for session in ("AM", "PM")
            if code != " "
        ],
    }
    histories = Histories.from_rows(tables)
    rolls = last_spells(histories, DAY)
    return silent_registers(histories, rolls, DAY, SchoolDays.of(histories, rolls, DAY, closed))


def child(pupil, since, days):
    return SilentChild(pupil_id=pupil, since=since, days=days)


def school(urn, since, days):
    return SilentSchool(authority="801", urn=urn, since=since, days=days)


@pytest.mark.parametrize(("days", "quiet"), [(0, False), (2, False), (3, True), (12, True)])
def test_a_child_no_longer_marked_while_others_are(days, quiet):
    assert silent(a1=days, a2=0, b1=0) == ([child("a1", OPEN[-1 - days], days)] if quiet else [], [])


def test_a_silent_school_is_not_a_silent_child():
    assert silent(a1=5, a2=5, b1=0, c1=0) == ([], [school("a", OPEN[-6], 5)])
    assert silent(a1=9, a2=5, b1=0, c1=0) == ([child("a1", OPEN[-10], 4)], [school("a", OPEN[-6], 5)])


def test_an_authority_on_holiday_is_not_silent_because_another_is_not():
    schools = {f"{urn}1": 5 if urn in "abcd" else 0 for urn in "abcdefghijkl"}
    small = dict.fromkeys("abcd", "802")
    assert silent(authorities=small, **schools) == ([], [])
    stopped = school("d", OPEN[-6], 5)
    _, found = silent(authorities=small, **{**schools, "a1": 0, "b1": 0, "c1": 0})
    assert [(s.urn, s.authority, s.days) for s in found] == [("d", "802", stopped.days)]
    few = dict.fromkeys("abc", "802")
    _, found = silent(authorities=few, **{**schools, "d1": 0})
    assert {s.urn for s in found} == set("abc"), "so few schools do not say which days are usual"


def test_days_that_the_authority_names_as_closed_are_no_silence():
    assert silent(closed=frozenset(OPEN[-4:]), a1=5, b1=0, c1=0) == ([], [])


def test_a_holiday_is_no_silence():
    assert silent(a1=5, b1=5, c1=5) == ([], [])


@pytest.mark.parametrize("code", ["D", "X", "Q", "Z", "N"])
def test_a_mark_of_any_code_is_a_mark_also_of_a_session_that_was_not_possible(code):
    elsewhere = "/" * (len(OPEN) - 12) + code * 12
    assert silent(a1=elsewhere, a2=0, b1=0) == ([], []), "the school marks the child every day"
    assert silent(a1=elsewhere[:-4], a2=0, b1=0) == ([child("a1", OPEN[-5], 4)], [])


def test_a_planned_closure_is_no_mark_of_a_child_but_a_register_of_the_school():
    closed = "/" * (len(OPEN) - 5) + "#" * 5
    assert silent(a1=closed, a2=0, b1=0) == ([child("a1", OPEN[-6], 5)], [])
    assert silent(a1=closed, a2=closed, b1=0, c1=0) == ([], []), "the school said that it is closed"


def test_a_school_that_never_sent_a_mark_is_not_said_to_have_stopped():
    assert silent(a1="", a2="", b1=0, c1=0) == ([], [])


@pytest.mark.parametrize(
    ("roll", "ago", "days"),
    [(5, 20, 20), (20, 3, 3), (20, 2, None), (4, 20, None), (5, len(OPEN), None)],
)
def test_a_school_whose_roll_began_since_marks_come_and_that_never_sent_one_is_silent_since(roll, ago, days):
    """A new number without its link file cuts the feed; a school that was there before marks began may have none to send."""
    new = {f"a{n}": OPEN[-ago] if ago < len(OPEN) else date(2020, 9, 2) for n in range(roll)}
    quiet = silent(entered=new.items(), b1=0, c1=0, d1=0, **dict.fromkeys(new, ""))
    assert quiet == ([], [school("a", OPEN[-ago], days)] if days else [])


def test_a_school_that_has_sent_nothing_for_longer_than_marks_are_read_is_silent_since_its_last_one():
    last = next(n for n, day in enumerate(OPEN) if day >= date(2024, 10, 1))
    children, (old,) = silent(a1="/" * (last + 1), b1=0, c1=0)
    assert (children, old.urn, old.since) == ([], "a", OPEN[last])
    (old_child,), schools = silent(a1="/" * (last + 1), a2=0, b1=0)
    assert (old_child.pupil_id, old_child.since, schools) == ("a1", OPEN[last], [])


@pytest.mark.parametrize("days", [2, 3])
def test_days_before_a_child_joined_the_school_do_not_count(days):
    joined = OPEN[-days]
    expected = [child("a1", joined, 3)] if days == 3 else []
    assert silent({"a1": joined}, a1=10, a2=0, b1=0) == (expected, []), (
        "the marks until ten days ago are another school's"
    )
    assert silent({"a1": joined}, a1="", a2=0, b1=0) == (expected, [])


def test_marks_of_another_school_make_no_school_day():
    few = {f"b{n}": 0 for n in range(3)}
    assert silent({"a1": OPEN[-5]}, a1=0, a2=12, a3=12, **few) == (
        [child("a2", OPEN[-13], 5), child("a3", OPEN[-13], 5)],
        [],
    )


def test_marks_of_single_children_in_a_holiday_are_no_school_day():
    most = {f"a{n}": 4 for n in range(12)}
    assert silent(a99=0, **most, b1=4, c1=4) == ([], [])
    assert silent(a99=0, **most, b1=0, c1=0, d1=0) == ([], [school("a", OPEN[-5], 4)])


def test_a_mark_that_was_taken_back_is_none():
    tables = {
        "pupils": [{"pupil_id": p, "date_of_birth": "2013-05-01", "authority": "801"} for p in ("a1", "a2")],
        "enrolments": [{"pupil_id": p, "urn": "a", "entry_date": "2020-09-02"} for p in ("a1", "a2")],
        "attendance": [
            {"pupil_id": p, "date": str(day), "session": "AM", "code": "/", "recorded_on": str(day)}
            for p, until in (("a1", -4), ("a2", None))
            for day in OPEN[:until]
        ],
    }
    taken_back = {"pupil_id": "a1", "date": str(OPEN[-5]), "session": "AM", "code": "#", "recorded_on": str(OPEN[-3])}
    tables["attendance"].append(taken_back)
    histories = Histories.from_rows(tables)
    rolls = last_spells(histories, DAY)
    days = SchoolDays.of(histories, rolls, DAY, frozenset())
    assert silent_registers(histories, rolls, DAY, days) == ([child("a1", OPEN[-6], 5)], [])
