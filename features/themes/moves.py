"""Moves: changes of school, gaps between rolls, and earlier cases of missing education."""

from __future__ import annotations

import narwhals as nw

from features.feature import Feature, Tally, plain

ENROLMENTS = ("enrolments",)
STARTED = lambda: nw.col("age") >= 0  # noqa: E731 - a condition, named
IN_YEAR = lambda: nw.col("in_year_entry") == 1  # noqa: E731

TALLIES = {
    "spells": Tally("enrolments", STARTED),
    "in_year_entries_365": Tally("enrolments", IN_YEAR, days=366),
    "in_year_entries_all": Tally("enrolments", lambda: IN_YEAR() & STARTED()),
    "newest_entry": Tally("enrolments", STARTED, lambda: nw.col("age"), how="min"),
    "left_lost": Tally("enrolments", lambda: nw.col("destination").is_in(["missing_education", "unknown"])),
    "left_to_other": Tally(
        "enrolments",
        lambda: nw.col("destination").is_in(["home_education", "other_authority", "abroad", "independent_school"]),
    ),
    "other_registrations": Tally(
        "enrolments",
        lambda: STARTED() & nw.col("leaving_date").is_null() & nw.col("status").is_in(["M", "S", "O"]),
    ),
    "days_on_rolls": Tally(
        "enrolments",
        lambda: STARTED() & ~nw.col("leaving_date").is_null(),
        lambda: nw.col("leaving_date") - nw.col("entry_date"),
    ),
    "cases": Tally("cme"),
    "newest_case": Tally("cme", None, lambda: nw.col("age"), how="min"),
}

FEATURES = [
    Feature("in_year_moves_365d", "moves", plain("in_year_entries_365"), "Joined a school in the middle of the year {in_year_moves_365d:.0f} time(s) in the last year",
            "Has not changed school in the middle of the last year", ENROLMENTS, 365, 1),
    Feature("in_year_moves_all", "moves", plain("in_year_entries_all"), "Joined a school in the middle of the year {in_year_moves_all:.0f} time(s) in all",
            "Has never changed school in the middle of a year", ENROLMENTS, None, 1),
    Feature("days_at_school", "moves", plain("newest_entry"), "Joined this school {days_at_school:.0f} days ago", "At this school for {days_at_school:.0f} days", ENROLMENTS, None, 0, "reason", "days"),
    Feature("schools_so_far", "moves", plain("spells"), "Has been on {schools_so_far:.0f} school roll(s)", "Has been on {schools_so_far:.0f} school roll(s)", ENROLMENTS, None, 0),
    Feature("left_to_nowhere", "moves", plain("left_lost"), "Has left a roll {left_to_nowhere:.0f} time(s) with nowhere known to go", "Has never left a roll with nowhere known to go", ENROLMENTS, None, 1),
    Feature("left_state_schools", "moves", plain("left_to_other"), "Has left state schools {left_state_schools:.0f} time(s) before", "Has not left state schools before", ENROLMENTS, None, 0),
    Feature("registered_twice", "moves", plain("other_registrations"), "Registered at more than one place", "Registered at one school", ENROLMENTS, None, 0),
    Feature("past_cases", "moves", plain("cases"), "Was missing education {past_cases:.0f} time(s) before", "No earlier case of missing education", ("cme",), None, 1),
    Feature("days_since_case", "moves", plain("newest_case"), "The last case of missing education began {days_since_case:.0f} days ago", "The last case began {days_since_case:.0f} days ago", ("cme",), None, -1, "reason", "days", "no earlier case"),
]  # fmt: skip
