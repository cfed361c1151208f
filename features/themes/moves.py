"""Moves: changes of school, gaps between rolls, and earlier cases of missing education."""

from __future__ import annotations

import narwhals as nw

from features.feature import Feature, Tally, plain
from features.sentences import YEAR, Condition, counted_in_all, fact, past, strain, strength

ENROLMENTS = ("enrolments",)


def _started() -> nw.Expr:
    return nw.col("age") >= 0


def _first_here() -> nw.Expr:
    return _started() & (nw.col("first_here") == 1)


def _in_year() -> nw.Expr:
    return nw.col("in_year_entry") == 1


def _on_roll() -> nw.Expr:
    """Return whether a spell is that of the school a child is at: not over, and not beside another."""
    return _started() & nw.col("leaving_date").is_null() & (nw.col("status").is_null() | (nw.col("status") != "S"))


def _lost() -> nw.Expr:
    return nw.col("destination").is_in(["missing_education", "unknown"])


def _age() -> nw.Expr:
    return nw.col("age")


TALLIES = {
    "spells": Tally(table="enrolments", where=_started),
    "in_year_entries_365": Tally(table="enrolments", where=_in_year, days=366),
    "in_year_entries_all": Tally(table="enrolments", where=lambda: _in_year() & _started()),
    "newest_in_year_entry": Tally(table="enrolments", where=lambda: _in_year() & _started(), value=_age, how="min"),
    "newest_september_entry": Tally(table="enrolments", where=lambda: ~_in_year() & _started(), value=_age, how="min"),
    "current_in_year_entry": Tally(table="enrolments", where=lambda: _in_year() & _on_roll(), value=_age, how="min"),
    "first_entry": Tally(table="enrolments", where=_started, value=_age, how="max"),
    "newest_entry": Tally(table="enrolments", where=_started, value=_age, how="min"),
    "newest_joining": Tally(
        table="enrolments", where=lambda: ~nw.col("in_year_entry").is_null() & _started(), value=_age, how="min"
    ),
    "schools_known": Tally(table="enrolments", where=_first_here),
    "left_lost": Tally(table="enrolments", where=_lost),
    "newest_left_lost": Tally(
        table="enrolments", where=_lost, value=lambda: nw.col("as_of") - nw.col("leaving_date"), how="min"
    ),
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
    "newest_case_report": Tally(table="cme", value=lambda: nw.col("as_of") - nw.col("reported_on"), how="min"),
    "newest_case": Tally(table="cme", where=None, value=_age, how="min"),
}

# Most children join a school in September of Reception, Year 3 (junior schools) or Year 7; that is no strain.
# Within these days, in autumn and spring, the school year is still that of the entry.
THIS_YEAR = (0, 240)
NO_INTAKE: tuple[Condition, ...] = (
    ("days_at_school", "=", "newest_september_entry"),
    ("year_group", "!=", 0),
    ("year_group", "!=", 3),
    ("year_group", "!=", 7),
    ("term", "!=", 3),
)
FEATURES = [
    Feature(
        name="in_year_moves_365d",
        theme="moves",
        expression=plain("in_year_entries_365"),
        says=(
            strain("Joined a school mid-year {in_year_moves_365d:times} in the last year", 1),
            strength("Has not joined a school mid-year in the last year", 0, 1),
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
            *counted_in_all("Joined a school mid-year", "in_year_moves_all", "newest_in_year_entry"),
            strength("Has never joined a school mid-year, as far as the records show", 0, 1),
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
            strain(
                "Joined this school mid-year, {days_at_school:ago}",
                0,
                YEAR,
                ("days_at_school", "=", "current_in_year_entry"),
            ),
            strain("Joined this school at the start of the school year, {days_at_school:ago}", *THIS_YEAR, *NO_INTAKE),
            strength("At this school for {days_at_school:span}", 2 * YEAR),
        ),
        sources=ENROLMENTS,
        window=None,
        direction=0,
        role="reason",
        unit="days",
    ),
    Feature(
        name="days_since_first_entry",
        theme="moves",
        expression=plain("first_entry"),
        says=(fact("First on a roll {days_since_first_entry:ago}, as far as the records show"),),
        sources=ENROLMENTS,
        window=None,
        role="never_shown",
        unit="days",
    ),
    Feature(
        name="schools_so_far",
        theme="moves",
        expression=plain("spells"),
        says=past(
            "Has been at {schools_known:.0f} schools, and last joined one {newest_joining:ago}",
            "newest_joining",
            ("schools_known", ">", 2),
            ("days_at_school", "=", "newest_joining"),
            at_least=3,
        ),
        sources=ENROLMENTS,
        window=None,
        direction=0,
    ),
    Feature(
        name="left_to_nowhere",
        theme="moves",
        expression=plain("left_lost"),
        says=(
            *counted_in_all("Left a school with no known destination", "left_to_nowhere", "newest_left_lost"),
            strength("Has never left a school without a known destination, as far as the records show", 0, 1),
        ),
        sources=ENROLMENTS,
        window=None,
        direction=1,
    ),
    Feature(
        name="left_state_schools",
        theme="moves",
        expression=plain("left_to_other"),
        says=(fact("Left this authority's schools {left_state_schools:times} before", 1),),
        sources=ENROLMENTS,
        window=None,
        direction=0,
    ),
    Feature(
        name="registered_twice",
        theme="moves",
        expression=plain("other_registrations"),
        says=(fact("Registered at more than one school or provider", 1),),
        sources=ENROLMENTS,
        window=None,
        direction=0,
    ),
    Feature(
        name="past_cases",
        theme="moves",
        expression=plain("cases"),
        says=(
            *counted_in_all("Was reported missing education", "past_cases", "newest_case_report"),
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
        says=past("Last went missing from education {days_since_case:ago}", "days_since_case", at_least=0),
        sources=("cme",),
        window=None,
        direction=-1,
        role="reason",
        unit="days",
        missing="no earlier case",
    ),
]
