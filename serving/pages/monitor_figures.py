"""The pictures of the monitor's page: a run chart of lists and terms, and funnels of schools and groups. Pictures have no text: tables stand beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HEIGHT, STEP, SIDE = 100, 12, 200  # in the pictures' units
MOST = 3.0  # observed over expected at the upper edge of a funnel; what lies above is drawn on the edge


@dataclass(frozen=True, kw_only=True)
class RunChart:
    """Lists in the order of their days.

    Attributes
    ----------
    marks : list of dict
        ``x``, ``top`` and ``bottom`` of the usual range, ``expected``, and ``observed`` (None if hidden) and ``kept``, from the upper edge.
    most : float
        The number at the upper edge.
    outside, hidden : int
        Lists outside their usual range, and those whose number is not shown.
    """

    marks: list[dict[str, Any]]
    width: int
    most: int
    outside: int
    hidden: int
    height: int = HEIGHT


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """Places or groups by expected number, largest at the right; each has its own usual range.

    Attributes
    ----------
    points : list of dict
        ``x``; ``y``, ``top`` and ``bottom`` from the upper edge; ``kept``.
    outside : list of str
        Names of those outside their range.
    """

    points: list[dict[str, Any]]
    outside: list[str]
    side: int = SIDE
    even: float = SIDE * (1 - 1 / MOST)


def run_chart(lists: Sequence[Mapping[str, Any]]) -> RunChart | None:
    """Return the chart of some lists, each with ``usual``, ``expected``, ``observed`` and ``kept``; None without lists."""
    if not lists:
        return None
    most = max(1, *(max(x["usual"][1], x["observed"] or 0, math.ceil(x["expected"])) for x in lists))

    def from_top(number: float) -> float:
        return round(HEIGHT * (1 - number / most), 1)

    marks = [
        {
            "x": n * STEP,
            "top": from_top(x["usual"][1]),
            "bottom": from_top(x["usual"][0]),
            "expected": from_top(x["expected"]),
            "observed": None if x["observed"] is None else from_top(x["observed"]),
            "kept": x["kept"],
        }
        for n, x in enumerate(lists)
    ]
    outside, hidden = sum(x["kept"] is False for x in lists), sum(x["observed"] is None for x in lists)
    return RunChart(marks=marks, width=STEP * len(lists), most=most, outside=outside, hidden=hidden)


def funnel(places: Sequence[Mapping[str, Any]]) -> Funnel | None:
    """Return the funnel of places with ``name``, ``expected``, ``usual``, ``observed`` and ``kept``; None with fewer than two that can be drawn."""
    drawn = [p for p in places if p["expected"] > 0 and p["observed"] is not None]
    if len(drawn) < 2:
        return None
    first, last = (f(math.log(p["expected"]) for p in drawn) for f in (min, max))
    span = last - first or 1.0

    def from_top(ratio: float) -> float:
        return round(SIDE * (1 - min(ratio, MOST) / MOST), 1)

    points = [
        {
            "x": round(SIDE * (math.log(p["expected"]) - first) / span, 1),
            "y": from_top(p["observed"] / p["expected"]),
            "top": from_top(p["usual"][1] / p["expected"]),
            "bottom": from_top(p["usual"][0] / p["expected"]),
            "kept": p["kept"],
        }
        for p in drawn
    ]
    return Funnel(points=points, outside=[p["name"] for p in drawn if p["kept"] is False])
