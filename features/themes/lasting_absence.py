"""Absence over up to three years, by how fast it is forgotten.

Rates in windows drop what is older than a year, and say nothing of few sessions. Log-odds of all sessions, smoothed and weighted towards the
newest, remember.
"""

from __future__ import annotations

import narwhals as nw

from features.attendance.bits import UNIT
from features.attendance.register import HALF_LIVES, PRIOR, REACH
from features.feature import Feature
from features.sentences import fact

WORDS = {"absent": "missed", "unauthorised": "missed without permission or with no reason yet"}


def _log_odds(measure: str, half_life: str) -> Feature:
    name = f"{measure}_log_odds_{half_life}"

    def expression() -> nw.Expr:
        return nw.col(f"{measure}_lasting_{half_life}").cast(nw.Float64) / float(UNIT)

    return Feature(
        name=name,
        theme="attendance",
        expression=expression,
        says=(fact(f"The log-odds of a session being {WORDS[measure]}: {{{name}:.2f}}"),),
        sources=("attendance",),
        window=REACH,
        direction=1,
        role="never_shown",
        unit="log-odds",
        missing="no possible session in three years",
    )


TALLIES: dict = {}
FEATURES = [_log_odds(measure, half_life) for measure in PRIOR for half_life in HALF_LIVES]
