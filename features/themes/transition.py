"""Transition: the move from primary to secondary school."""

from __future__ import annotations

import narwhals as nw

from features.feature import Feature, Tally
from features.sentences import fact, strain, strength

ADMISSIONS = ("admissions",)
TO_ANSWER = (
    28  # days after an offer in which a family is still answering; every child of the year lacks an answer at first
)
UNKNOWN = "in Year 6, and no row about next September is known"


def is_next() -> nw.Expr:
    """Return whether a row is about the September that follows the as-of date."""
    return nw.col("entry_year") == nw.col("next_september")


TALLIES = {
    "application_rows": Tally(table="admissions", where=is_next),
    "applied": Tally(table="admissions", where=lambda: is_next() & ~nw.col("applied_on").is_null()),
    "offered_long_ago": Tally(
        table="admissions", where=lambda: is_next() & (nw.col("as_of") - nw.col("offered_on") >= TO_ANSWER)
    ),
    "accepted": Tally(table="admissions", where=lambda: is_next() & (nw.col("response") == "accepted")),
    "declined": Tally(table="admissions", where=lambda: is_next() & (nw.col("response") == "declined")),
}


def in_year_6() -> nw.Expr:
    """Return whether a child is in Year 6."""
    return nw.col("nc_year") == 6


def _only_in_year_6(count: nw.Expr) -> nw.Expr:
    return nw.when(in_year_6()).then(count.cast(nw.Float64)).otherwise(nw.lit(0.0))


def _tells() -> nw.Expr:
    """Return whether a child's next place is known: without a row there may be none, or the year's applications are not loaded."""
    return ~in_year_6() | (nw.col("application_rows") > 0)


FEATURES = [
    Feature(
        name="no_application",
        theme="transition",
        expression=lambda: _only_in_year_6((nw.col("application_rows") > 0) & (nw.col("applied") == 0)),
        says=(strain("No application for secondary school is known", 1),),
        sources=ADMISSIONS,
        window=None,
        direction=1,
        role="reason",
        unit="yes or no",
        missing=UNKNOWN,
        known_if=_tells,
    ),
    Feature(
        name="offer_declined",
        theme="transition",
        expression=lambda: _only_in_year_6(nw.col("declined") > 0),
        says=(strain("The offer of a secondary place was declined", 1),),
        sources=ADMISSIONS,
        window=None,
        direction=1,
        role="reason",
        unit="yes or no",
        missing=UNKNOWN,
        known_if=_tells,
    ),
    Feature(
        name="offer_not_answered",
        theme="transition",
        expression=lambda: _only_in_year_6(
            (nw.col("offered_long_ago") > 0) & (nw.col("accepted") == 0) & (nw.col("declined") == 0)
        ),
        says=(strain("The offer of a secondary place has not been answered for four weeks or longer", 1),),
        sources=ADMISSIONS,
        window=None,
        direction=1,
        role="reason",
        unit="yes or no",
        missing=UNKNOWN,
        known_if=_tells,
    ),
    Feature(
        name="place_accepted",
        theme="transition",
        expression=lambda: _only_in_year_6(nw.col("accepted") > 0),
        says=(
            strength("A secondary place has been accepted", 1),
            strain("No secondary place has been accepted yet", 0, 1, ("in_year_6", "=", 1)),
        ),
        sources=ADMISSIONS,
        window=None,
        direction=0,
        role="reason",
        unit="yes or no",
        missing=UNKNOWN,
        known_if=_tells,
    ),
    Feature(
        name="in_year_6",
        theme="transition",
        expression=lambda: _only_in_year_6(nw.lit(1)),
        says=(fact("In Year 6 by age, before the move to secondary school", 1),),
        sources=("enrolments",),
        window=None,
        direction=0,
        role="context",
        unit="yes or no",
    ),
    Feature(
        name="in_year_7",
        theme="transition",
        expression=lambda: (nw.col("nc_year") == 7).cast(nw.Float64),
        says=(fact("In Year 7 by age, after the move to secondary school", 1),),
        sources=("enrolments",),
        window=None,
        direction=0,
        role="context",
        unit="yes or no",
    ),
]
