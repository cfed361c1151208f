"""Data quality: how much is known, which is context; a child about whom little is recorded is not thereby safe."""

from __future__ import annotations

from features.feature import Feature, plain, ratio

TALLIES: dict = {}
FEATURES = [
    Feature("days_since_last_mark", "data_quality", plain("last_mark_days"), "No mark for {days_since_last_mark:.0f} days", "Marks up to {days_since_last_mark:.0f} days ago", ("attendance",), 60, 0, "context", "days", "no possible session in 60 days"),
    Feature("sessions_known_28d", "data_quality", plain("possible_28"), "{sessions_known_28d:.0f} sessions recorded in the last 28 days", "{sessions_known_28d:.0f} sessions recorded in the last 28 days", ("attendance",), 28, 0, "context", "sessions"),
    Feature("sessions_known_365d", "data_quality", plain("possible_365"), "{sessions_known_365d:.0f} sessions recorded in the last year", "{sessions_known_365d:.0f} sessions recorded in the last year", ("attendance",), 365, 0, "context", "sessions"),
    Feature("share_of_year_known", "data_quality", ratio("possible_180", "possible_365"), "{share_of_year_known:.0%} of the year's marks are from the last half", "{share_of_year_known:.0%} of the year's marks are from the last half", ("attendance",), 365, 0, "never_shown", "share", "no possible session in a year"),
]  # fmt: skip
