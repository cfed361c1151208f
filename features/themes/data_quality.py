"""Data quality: how much is recorded. This is context: a child with few records is not thereby safe."""

from __future__ import annotations

from features.feature import Feature, plain, ratio
from features.sentences import fact

TALLIES: dict = {}
FEATURES = [
    Feature(
        name="days_since_last_mark",
        theme="data_quality",
        expression=plain("last_mark_days"),
        says=(fact("The newest mark in the register is from {days_since_last_mark:ago}", 0),),
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
        says=(fact("{sessions_known_28d:.0f} session(s) recorded in the last four weeks"),),
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
        says=(fact("{sessions_known_365d:.0f} session(s) recorded in the last year"),),
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
        says=(fact("{share_of_year_known:.0%} of the year's marks are from the last half"),),
        sources=("attendance",),
        window=365,
        direction=0,
        role="never_shown",
        unit="share",
        missing="no possible session in a year",
    ),
]
