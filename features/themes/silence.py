"""Silence of the register: a child who has no marks while the school sends those of others."""

from __future__ import annotations

import narwhals as nw

from features.feature import Feature
from features.sentences import strain

# Days; the longest in which the child has no mark counts, so that the silence may be longer than is said.
WINDOWS = (90, 28, 14)


def _silent_sessions() -> nw.Expr:
    """Return the sessions that the school held, on average of its other children with marks, while the child had none.

    A mark of a session that was not possible for the child, such as taught elsewhere, is a mark; a planned closure is not.
    """
    last_excused = nw.col("last_not_possible_days")
    sessions: nw.Expr = nw.when(nw.col("newest_entry") >= min(WINDOWS)).then(nw.lit(0.0))
    for days in sorted(WINDOWS):
        not_excused = last_excused.is_null() | (last_excused > days)
        silent = (nw.col(f"possible_{days}") == 0) & (nw.col("newest_entry") >= days) & not_excused
        held = nw.col(f"school_possible_{days}").cast(nw.Float64) / nw.col("school_marked").cast(nw.Float64)
        sessions = nw.when(silent).then(held).otherwise(sessions)
    return nw.when(nw.col("school_marked") > 0).then(sessions)


TALLIES: dict = {}
FEATURES = [
    Feature(
        name="silent_sessions",
        theme="attendance",
        expression=_silent_sessions,
        says=(
            strain(
                "No attendance recorded, present or absent, while the school held at least {silent_sessions:whole} session(s)",
                4,
            ),
        ),
        sources=("attendance",),
        window=90,
        direction=1,
        role="reason",
        unit="sessions",
        missing="joined the school in the last two weeks, or no other child there has marks of the last 60 days",
    ),
]
