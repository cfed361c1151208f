"""The strip of a child's scores over the last lists: a mark and an interval for each list, on a scale of odds; a table has the same content."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

LISTS = 12  # the newest lists shown
SLOT, HEIGHT = 12, 60  # of one list, in the picture's units
SCALE = (1.0, 0.1, 0.01, 0.001)  # risks of the lines, highest first; equally far apart, since the scale is logarithmic


@dataclass(frozen=True, kw_only=True)
class StripMark:
    """A score on a list.

    Attributes
    ----------
    day : date
    x, y, top, bottom : float
        Where the score lies, and its interval.
    risk : float
    limits : tuple of float
    rank : int
    other_model : bool
        Whether another model version than that of the newest list made it.
    """

    day: date
    x: float
    y: float
    top: float
    bottom: float
    risk: float
    limits: tuple[float, float]
    rank: int
    other_model: bool


@dataclass(frozen=True, kw_only=True)
class ScoreStrip:
    """The strip; marks are in order of their day."""

    marks: list[StripMark]
    lines: list[float]
    width: int
    height: int = HEIGHT
    slot: int = SLOT


def score_strip(current: Sequence[dict[str, Any]]) -> ScoreStrip | None:
    """Return the strip of the newest lists; None with fewer than two lists.

    Parameters
    ----------
    current : sequence of dict
        Scores that were not replaced, oldest first, as ``stored_scores.history`` returns them.
    """
    by_day = {s["as_of"]: s for s in current}  # of two models on a day, the one stored last
    newest = list(by_day.values())[-LISTS:]
    if len(newest) < 2:
        return None
    version = newest[-1]["model_version"]
    marks = []
    for n, stored in enumerate(newest):
        score = stored["score"]
        limits = (score["risk_low"], score["risk_high"])
        marks.append(
            StripMark(
                day=stored["as_of"],
                x=n * SLOT,
                y=_y(score["risk"]),
                top=_y(limits[1]),
                bottom=_y(limits[0]),
                risk=score["risk"],
                limits=limits,
                rank=score["rank"],
                other_model=stored["model_version"] != version,
            )
        )
    return ScoreStrip(marks=marks, lines=[_y(risk) for risk in SCALE], width=len(marks) * SLOT)


def _y(risk: float) -> float:
    """Return the height of a risk from the top, within the scale."""
    within = min(max(risk, SCALE[-1]), SCALE[0])
    return round(HEIGHT * math.log(within) / math.log(SCALE[-1]), 1)
