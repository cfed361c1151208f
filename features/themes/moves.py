"""Moves: changes of school, gaps between rolls, and earlier cases of missing education."""

from __future__ import annotations

import narwhals as nw

from features.feature import Feature, Tally, plain
from features.sentences import YEAR, fact, strain, strength

ENROLMENTS = ("enrolments",)


def _started() -> nw.Expr:
    return nw.col("age") >= 0


def _in_year() -> nw.Expr:
    return nw.col("in_year_entry") == 1


def _age() -> nw.Expr:
    return nw.col("age")


TALLIES = {
    "spells": Tally(table="enrolments", where=_started),
    "in_year_entries_365": Tally(table="enrolments", where=_in_year, days=366),
    "in_year_entries_all": Tally(table="enrolments", where=lambda: _in_year() & _started()),
    "newest_entry": Tally(table="enrolments", where=_started, value=_age, how="min"),
    "left_lost": Tally(table="enrolments", where=lambda: nw.col("destination").is_in(["missing_education", "unknown"])),
    "left_to_other": Tally(
        table="enrolments",
        where=lambda: nw.col("destination").is_in(
            ["home_education", "other_authority", "abroad", "independent_school"]
        ),
    ),
    "other_registrations": Tally(
        table="enrolments",
        where=lambda: _started() & nw.col("leaving_date").is_null() & nw.col("status").is_in(["M", "S", "O"]),
    ),
    "days_on_rolls": Tally(
        table="enrolments",
        where=lambda: _started() & ~nw.col("leaving_date").is_null(),
        value=lambda: nw.col("leaving_date") - nw.col("entry_date"),
    ),
    "cases": Tally(table="cme"),
    "newest_case": Tally(table="cme", where=None, value=_age, how="min"),
}

FEATURES = [
    Feature(
        name="in_year_moves_365d",
        theme="moves",
        expression=plain("in_year_entries_365"),
        says=(
            strain(
                "Joined a school in the middle of a school year {in_year_moves_365d:.0f} time(s) in the last year", 1
            ),
            strength("No change of school in the middle of the last year", 0, 1),
        ),
        sources=ENROLMENTS,
        window=365,
        direction=1,
    ),
    Feature(
        name="in_year_moves_all",
        theme="moves",
        expression=plain("in_year_entries_all"),
        says=(
            strain("Joined a school in the middle of a school year {in_year_moves_all:.0f} time(s) in all", 1),
            strength("Has never changed school in the middle of a school year, as far as recorded", 0, 1),
        ),
        sources=ENROLMENTS,
        window=None,
        direction=1,
    ),
    Feature(
        name="days_at_school",
        theme="moves",
        expression=plain("newest_entry"),
        says=(
            strain("Joined this school {days_at_school:ago}", 0, YEAR),
            strength("At this school for {days_at_school:span}", 2 * YEAR),
        ),
        sources=ENROLMENTS,
        window=None,
        direction=0,
        role="reason",
        unit="days",
    ),
    Feature(
        name="schools_so_far",
        theme="moves",
        expression=plain("spells"),
        says=(strain("Has been on {schools_so_far:.0f} school rolls", 3),),
        sources=ENROLMENTS,
        window=None,
        direction=0,
    ),
    Feature(
        name="left_to_nowhere",
        theme="moves",
        expression=plain("left_lost"),
        says=(
            strain("Has left a roll {left_to_nowhere:.0f} time(s) with nowhere known to go", 1),
            strength("Has never left a roll with nowhere known to go", 0, 1),
        ),
        sources=ENROLMENTS,
        window=None,
        direction=1,
    ),
    Feature(
        name="left_state_schools",
        theme="moves",
        expression=plain("left_to_other"),
        says=(fact("Has left state schools {left_state_schools:.0f} time(s) before", 1),),
        sources=ENROLMENTS,
        window=None,
        direction=0,
    ),
    Feature(
        name="registered_twice",
        theme="moves",
        expression=plain("other_registrations"),
        says=(fact("Registered at more than one place", 1),),
        sources=ENROLMENTS,
        window=None,
        direction=0,
    ),
    Feature(
        name="past_cases",
        theme="moves",
        expression=plain("cases"),
        says=(
            strain("Was missing education {past_cases:.0f} time(s) before", 1),
            strength("No earlier case of missing education is recorded", 0, 1),
        ),
        sources=("cme",),
        window=None,
        direction=1,
    ),
    Feature(
        name="days_since_case",
        theme="moves",
        expression=plain("newest_case"),
        says=(strain("The last case of missing education began {days_since_case:ago}", 0),),
        sources=("cme",),
        window=None,
        direction=-1,
        role="reason",
        unit="days",
        missing="no earlier case",
    ),
]
