"""Data quality: how much is known, which is context; a child about whom little is recorded is not thereby safe."""

from __future__ import annotations

from features.feature import Feature, plain, ratio

TALLIES: dict = {}
FEATURES = [
    Feature(
        name="days_since_last_mark",
        theme="data_quality",
        expression=plain("last_mark_days"),
        raises="No mark for {days_since_last_mark:.0f} days",
        lowers="Marks up to {days_since_last_mark:.0f} days ago",
        sources=("attendance",),
        window=60,
        direction=0,
        role="context",
        unit="days",
        missing="no possible session in 60 days",
    ),
    Feature(
        name="sessions_known_28d",
        theme="data_quality",
        expression=plain("possible_28"),
        raises="{sessions_known_28d:.0f} sessions recorded in the last 28 days",
        lowers="{sessions_known_28d:.0f} sessions recorded in the last 28 days",
        sources=("attendance",),
        window=28,
        direction=0,
        role="context",
        unit="sessions",
    ),
    Feature(
        name="sessions_known_365d",
        theme="data_quality",
        expression=plain("possible_365"),
        raises="{sessions_known_365d:.0f} sessions recorded in the last year",
        lowers="{sessions_known_365d:.0f} sessions recorded in the last year",
        sources=("attendance",),
        window=365,
        direction=0,
        role="context",
        unit="sessions",
    ),
    Feature(
        name="share_of_year_known",
        theme="data_quality",
        expression=ratio("possible_180", "possible_365"),
        raises="{share_of_year_known:.0%} of the year's marks are from the last half",
        lowers="{share_of_year_known:.0%} of the year's marks are from the last half",
        sources=("attendance",),
        window=365,
        direction=0,
        role="never_shown",
        unit="share",
        missing="no possible session in a year",
    ),
]
