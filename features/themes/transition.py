"""Transition: the move from primary to secondary school."""

from __future__ import annotations

import narwhals as nw

from features.feature import Feature, Tally

ADMISSIONS = ("admissions",)
# An application for the September that follows the as-of date.
NEXT = lambda: nw.col("entry_year") == nw.col("next_september")  # noqa: E731

TALLIES = {
    "application_rows": Tally("admissions", NEXT),
    "applied": Tally("admissions", lambda: NEXT() & ~nw.col("applied_on").is_null()),
    "offered": Tally("admissions", lambda: NEXT() & ~nw.col("offered_on").is_null()),
    "accepted": Tally("admissions", lambda: NEXT() & (nw.col("response") == "accepted")),
    "declined": Tally("admissions", lambda: NEXT() & (nw.col("response") == "declined")),
}
YEAR_6 = lambda: nw.col("nc_year") == 6  # noqa: E731


def _only_in_year_6(count: nw.Expr) -> nw.Expr:
    return nw.when(YEAR_6()).then(count.cast(nw.Float64)).otherwise(nw.lit(0.0))


FEATURES = [
    Feature("no_application", "transition", lambda: _only_in_year_6((nw.col("application_rows") > 0) & (nw.col("applied") == 0)),
            "No application for secondary school is known", "An application for secondary school is known, or none is due", ADMISSIONS, None, 1, "reason", "yes or no"),
    Feature("offer_declined", "transition", lambda: _only_in_year_6(nw.col("declined") > 0),
            "The offer of a secondary place was declined", "No offer of a secondary place was declined", ADMISSIONS, None, 1, "reason", "yes or no"),
    Feature("offer_not_answered", "transition", lambda: _only_in_year_6((nw.col("offered") > 0) & (nw.col("accepted") == 0) & (nw.col("declined") == 0)),
            "The offer of a secondary place has not been answered", "The offer of a secondary place was answered, or none is due", ADMISSIONS, None, 1, "reason", "yes or no"),
    Feature("place_accepted", "transition", lambda: _only_in_year_6(nw.col("accepted") > 0),
            "No secondary place has been accepted yet", "A secondary place has been accepted", ADMISSIONS, None, 0, "reason", "yes or no"),
    Feature("in_year_6", "transition", lambda: _only_in_year_6(nw.lit(1)), "In Year 6, before the move to secondary school", "Not in Year 6", ("enrolments",), None, 0, "context", "yes or no"),
    Feature("in_year_7", "transition", lambda: (nw.col("nc_year") == 7).cast(nw.Float64), "In Year 7, after the move to secondary school", "Not in Year 7", ("enrolments",), None, 0, "context", "yes or no"),
]  # fmt: skip
