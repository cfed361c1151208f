"""Behaviour: suspensions and exclusions, which say as much about what a school did as about a child."""

from __future__ import annotations

import narwhals as nw

from features.feature import Feature, Tally, plain

SUSPENSIONS = ("suspensions",)
SUSPENDED = lambda: nw.col("category") != "PERM"  # noqa: E731
SESSIONS = lambda: nw.when(nw.col("sessions").is_null()).then(1).otherwise(nw.col("sessions"))  # noqa: E731

TALLIES = {
    **{f"suspensions_{d}": Tally("suspensions", SUSPENDED, None, d) for d in (90, 365)},
    "suspensions_all": Tally("suspensions", SUSPENDED),
    **{f"suspended_sessions_{d}": Tally("suspensions", SUSPENDED, SESSIONS, d) for d in (90, 365)},
    "exclusions": Tally("suspensions", lambda: nw.col("category") == "PERM"),
    "newest_suspension": Tally("suspensions", SUSPENDED, lambda: nw.col("age"), how="min"),
}

FEATURES = [
    Feature("suspensions_90d", "behaviour", plain("suspensions_90"), "Suspended {suspensions_90d:.0f} time(s) in the last 90 days", "Not suspended in the last 90 days", SUSPENSIONS, 90, 1),
    Feature("suspensions_365d", "behaviour", plain("suspensions_365"), "Suspended {suspensions_365d:.0f} time(s) in the last year", "Not suspended in the last year", SUSPENSIONS, 365, 1),
    Feature("suspensions_all", "behaviour", plain("suspensions_all"), "Suspended {suspensions_all:.0f} time(s) in all", "Never suspended", SUSPENSIONS, None, 1),
    Feature("suspended_sessions_90d", "behaviour", plain("suspended_sessions_90"), "Suspended for {suspended_sessions_90d:.0f} sessions in the last 90 days", "Not suspended in the last 90 days", SUSPENSIONS, 90, 1, "reason", "sessions"),
    Feature("suspended_sessions_365d", "behaviour", plain("suspended_sessions_365"), "Suspended for {suspended_sessions_365d:.0f} sessions in the last year", "Not suspended in the last year", SUSPENSIONS, 365, 1, "reason", "sessions"),
    Feature("permanent_exclusions", "behaviour", plain("exclusions"), "Permanently excluded {permanent_exclusions:.0f} time(s)", "Never permanently excluded", SUSPENSIONS, None, 1),
    Feature("days_since_suspension", "behaviour", plain("newest_suspension"), "Last suspended {days_since_suspension:.0f} days ago", "Last suspended {days_since_suspension:.0f} days ago", SUSPENSIONS, None, -1, "reason", "days", "never suspended"),
]  # fmt: skip
