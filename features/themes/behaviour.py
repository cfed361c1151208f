"""Behaviour: suspensions and exclusions, which say as much about what a school did as about a child."""

from __future__ import annotations

import narwhals as nw

from features.feature import Feature, Tally, age, plain
from features.sentences import YEAR, counted_in_all, strain, strength

SUSPENSIONS = ("suspensions",)


def is_suspension() -> nw.Expr:
    """Return whether a row is a suspension, not a permanent exclusion."""
    return nw.col("category") != "PERM"


def sessions() -> nw.Expr:
    """Return the sessions that a suspension lasted; one when it does not say."""
    return nw.when(nw.col("sessions").is_null()).then(1).otherwise(nw.col("sessions"))


TALLIES = {
    **{f"suspensions_{d}": Tally(table="suspensions", where=is_suspension, value=None, days=d) for d in (90, 365)},
    "suspensions_all": Tally(table="suspensions", where=is_suspension),
    **{
        f"suspended_sessions_{d}": Tally(table="suspensions", where=is_suspension, value=sessions, days=d)
        for d in (90, 365)
    },
    "exclusions": Tally(table="suspensions", where=lambda: nw.col("category") == "PERM"),
    "newest_exclusion": Tally(table="suspensions", where=lambda: nw.col("category") == "PERM", value=age, how="min"),
    "newest_suspension": Tally(table="suspensions", where=is_suspension, value=age, how="min"),
}

FEATURES = [
    Feature(
        name="suspensions_90d",
        theme="behaviour",
        expression=plain("suspensions_90"),
        says=(
            strain("Suspended {suspensions_90d:times} in the last 90 days", 1),
            strength("Not suspended in the last 90 days", 0, 1),
        ),
        sources=SUSPENSIONS,
        window=90,
        direction=1,
    ),
    Feature(
        name="suspensions_365d",
        theme="behaviour",
        expression=plain("suspensions_365"),
        says=(
            strain("Suspended {suspensions_365d:times} in the last year", 1),
            strength("Not suspended in the last year", 0, 1),
        ),
        sources=SUSPENSIONS,
        window=365,
        direction=1,
    ),
    Feature(
        name="suspensions_all",
        theme="behaviour",
        expression=plain("suspensions_all"),
        says=(
            *counted_in_all("Suspended", "suspensions_all", "newest_suspension"),
            strength("Never suspended, as far as the records show", 0, 1),
        ),
        sources=SUSPENSIONS,
        window=None,
        direction=1,
    ),
    Feature(
        name="suspended_sessions_90d",
        theme="behaviour",
        expression=plain("suspended_sessions_90"),
        says=(
            strain("Suspended for {suspended_sessions_90d:.0f} session(s) in the last 90 days", 1),
            strength("Not suspended in the last 90 days", 0, 1),
        ),
        sources=SUSPENSIONS,
        window=90,
        direction=1,
        role="reason",
        unit="sessions",
    ),
    Feature(
        name="suspended_sessions_365d",
        theme="behaviour",
        expression=plain("suspended_sessions_365"),
        says=(
            strain("Suspended for {suspended_sessions_365d:.0f} session(s) in the last year", 1),
            strength("Not suspended in the last year", 0, 1),
        ),
        sources=SUSPENSIONS,
        window=365,
        direction=1,
        role="reason",
        unit="sessions",
    ),
    Feature(
        name="permanent_exclusions",
        theme="behaviour",
        expression=plain("exclusions"),
        says=(
            *counted_in_all("Permanently excluded", "permanent_exclusions", "newest_exclusion"),
            strength("Never permanently excluded, as far as the records show", 0, 1),
        ),
        sources=SUSPENSIONS,
        window=None,
        direction=1,
    ),
    Feature(
        name="days_since_suspension",
        theme="behaviour",
        expression=plain("newest_suspension"),
        says=(
            strain("Last suspended {days_since_suspension:ago}", 0, YEAR),
            strength("Not suspended in the last year", YEAR),
        ),
        sources=SUSPENSIONS,
        window=None,
        direction=-1,
        role="reason",
        unit="days",
        missing="never suspended",
    ),
]
