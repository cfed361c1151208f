"""The records beside the same weeks a year before: what stopped, thinned, came late or changed."""

from datetime import date, timedelta

import numpy as np
import pytest

from histories.calendar import school_days
from histories.reading.histories import Histories
from serving.monitoring.season import YEAR, Delay, same_holidays, season_of, standardised_difference

DAY = date(2025, 3, 10)
PUPILS = 24


def told(late=0, silent=None, only=PUPILS, absent=0, joined=None, neighbour=0):
    """Two schools with marks in the five weeks before the day and in the same weeks of two years before; now ``late`` days late, from ``only`` children.

    Child 0, of school 1, ``joined`` the other one on that day. The last ``neighbour`` children are of authority 802.
    """
    pupils, spells, marks = [], [], []
    for n in range(PUPILS):
        urn = "12"[n % 2]
        pupils.append({"pupil_id": f"p{n:02}", "date_of_birth": "2014-05-01", "authority": "801"})
        pupils[-1]["authority"] = "802" if n >= PUPILS - neighbour else "801"
        spells.append({"pupil_id": f"p{n:02}", "urn": urn, "entry_date": "2018-09-04"})
        for end in (DAY, DAY - YEAR, DAY - 2 * YEAR):
            is_now = end == DAY
            for day in school_days(end - timedelta(weeks=5), end - timedelta(days=1)):
                at = "2" if joined and n == 0 and day >= joined else urn
                if is_now and (n >= only or (at == silent and day >= end - timedelta(days=15))):
                    continue
                code = "O" if is_now and n < absent else "/"
                recorded = day + timedelta(days=late if is_now else 0)
                marks.append((f"p{n:02}", day, code, recorded))
    if joined:
        left = str(joined - timedelta(days=1))
        spells[0] |= {"leaving_date": left, "destination": "state_school", "leaving_recorded_on": left}
        spells.append({"pupil_id": "p00", "urn": "2", "entry_date": str(joined), "recorded_on": str(joined)})
    columns = ("pupil_id", "date", "code", "recorded_on")
    rows = [{**dict(zip(columns, map(str, m), strict=True)), "session": "AM"} for m in marks]
    return Histories.from_rows({"pupils": pupils, "enrolments": spells, "attendance": rows})


def season(features=("absent_rate_365d",), **how):
    return season_of(told(**how), DAY, features)


def test_as_a_year_before_nothing_differs():
    same = season()
    assert same.before == date(2024, 3, 11)
    assert same.children == {"801": (PUPILS, PUPILS)}
    assert same.totals == (PUPILS, PUPILS)
    now, before = same.recorded["attendance"]
    assert now == pytest.approx(before, rel=0.3), "half-term may fall otherwise"
    assert same.silent_schools == []
    assert same.delays == (Delay(marks=now, days=0.0), Delay(marks=before, days=0.0))
    assert set(same.shifts) == {"absent_rate_365d"}


def test_a_school_that_stopped_is_named_with_its_children_and_last_mark():
    (school,) = season(silent="2").silent_schools
    assert (school.urn, school.children) == ("2", PUPILS // 2)
    assert school.last_mark < DAY - timedelta(days=15)


@pytest.mark.parametrize("days", [5, 9, 20])
def test_a_child_who_has_just_moved_in_brings_no_mark_of_the_school(days):
    """The other school marked the child until it left; only after it has joined do its marks count for this one."""
    (school,) = season(silent="2", joined=DAY - timedelta(days=days)).silent_schools
    assert (school.urn, school.children) == ("2", PUPILS // 2 + 1)
    assert school.last_mark <= DAY - timedelta(days=16)


def test_if_no_school_sends_marks_no_single_one_is_silent():
    assert season(only=0).silent_schools is None
    assert season(only=0).recorded["attendance"][0] == 0


def test_a_feed_that_thins_and_marks_that_are_late_show():
    thin = season(only=6).recorded["attendance"]
    assert thin[0] == pytest.approx(season().recorded["attendance"][0] / 4)
    now, before = season(late=3).delays
    assert (now.days, before.days) == (3.0, 0.0)


def test_what_is_recorded_on_the_day_or_later_is_not_known():
    now, _ = season(late=60).delays
    assert now.marks == 0


def test_a_feature_that_moved_differs():
    moved, same = (season(absent=n).shifts["absent_rate_365d"] for n in (PUPILS, 0))
    assert moved.difference > 1 > same.difference
    assert moved.usual == same.usual < 1
    assert moved.values == PUPILS


def test_what_is_usual_needs_two_years():
    shift = season_of(told(), DAY - YEAR, ["absent_rate_365d"]).shifts["absent_rate_365d"]
    assert (shift.values, shift.difference, shift.usual) == (0, None, None)
    assert shift.missing == 0


def test_a_holiday_makes_no_school_silent():
    summer = season_of(told(), date(2025, 8, 18), ())
    assert summer.silent_schools is None
    assert summer.shifts == {}


def test_differences_are_in_standard_deviations_of_either_sign():
    rng = np.random.default_rng(1)
    values = rng.normal(5, 2, 5000)
    assert standardised_difference(values, values) == 0
    assert standardised_difference(values + 1, values) == pytest.approx(0.5, rel=0.05)
    assert standardised_difference(values - 1, values) == pytest.approx(-0.5, rel=0.05)
    assert standardised_difference(np.ones(9), np.zeros(9)) == np.inf
    assert standardised_difference(np.ones(9), np.ones(9)) == 0


def test_features_that_are_no_reasons_are_compared_by_missing_values_only():
    shared = season(["year_group"]).shifts["year_group"]
    assert (shared.difference, shared.usual, shared.values) == (None, None, PUPILS)
    assert shared.missing == shared.missing_before == 0


def test_what_tells_of_the_last_weeks_is_not_compared_when_half_term_lay_elsewhere():
    """Half-term ended a day before 24 February 2025; a year before it had ended a week earlier."""
    after_half_term = date(2025, 2, 24)
    shifts = season_of(told(), after_half_term, ("days_since_present", "absent_rate_14d", "absent_rate_90d")).shifts
    alike = {name: s.alike for name, s in shifts.items()}
    assert alike == {"days_since_present": False, "absent_rate_14d": False, "absent_rate_90d": True}
    assert season(features=("days_since_present",)).shifts["days_since_present"].alike


@pytest.mark.parametrize(
    ("day", "alike"),
    [
        (date(2024, 11, 4), False),  # half-term a week later than a year before
        (date(2025, 8, 25), False),  # the summer began on another day
        (date(2025, 11, 24), True),
    ],
)
def test_holidays_lie_alike_or_not(day, alike):
    assert same_holidays(day, day - YEAR) is alike


def test_each_of_several_authorities_is_measured_by_itself():
    """The neighbour's children are those from whom no mark comes any more."""
    both = season(only=PUPILS - 4, neighbour=4)
    assert both.children == {"801": (PUPILS - 4, PUPILS - 4), "802": (4, 4)}
    assert both.newest_in["801"] > DAY - timedelta(days=7)
    assert DAY - YEAR - timedelta(days=7) < both.newest_in["802"] < DAY - YEAR
    assert [d.marks > 0 for d in both.delays_in["802"]] == [False, True]
    assert sum(now.marks for now, _ in both.delays_in.values()) == both.delays[0].marks
    assert set(both.shifts_in) == {"801", "802"}
    alone = season()
    assert (alone.newest_in, alone.delays_in, alone.shifts_in) == ({}, {}, {})
