"""The timeline's picture: weekly attendance as bars, and a strip for each kind of event; the template adds the words.

The pictures have no text, so they can be stretched: scale, months and legend stand beside them, and a table has the same content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

LANES = ("school", "suspension", "care", "address", "missing", "records", "help")
WEEKS = 52
MAX_LATER = timedelta(weeks=4)  # for which help is drawn after the day of the records
SLOT, HEIGHT = 10, 60  # of one week, in the picture's units


@dataclass(frozen=True)
class WeekBar:
    """A week: the share missed, and the share missed without permission."""

    x: int
    missed: float
    unauthorised: float
    possible: bool


@dataclass(frozen=True)
class Stroke:
    """An event as a mark, or a spell as a band, in a strip."""

    x: float
    width: float
    starts: bool


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """A year of a child.

    Attributes
    ----------
    first, last : date
        The Mondays of the first and the last week.
    months : list of int
        For each week the month that begins in it, or 0.
    usual : float or None
        Height of the year group's share of missed sessions in the newest weeks.
    rows : list of dict
        The table: ``week, missed, possible, unauthorised, events``.
    """

    first: date
    last: date
    months: list[int]
    usual: float | None
    bars: list[WeekBar]
    lanes: dict[str, list[Stroke]]
    rows: list[dict[str, Any]]
    width: int = WEEKS * SLOT
    height: int = HEIGHT
    slot: int = SLOT


def timeline(past: dict[str, Any], as_of: date, help_given: Sequence[dict[str, Any]] = ()) -> Timeline:
    """Return the picture of the year before a day, and of help that was given soon after it.

    Parameters
    ----------
    past : dict
        See ``serving.casework.history``.
    as_of : date
    help_given : sequence of dict
        Events of what was done or recorded for the child: ``lane`` (``help`` or ``records``), ``date`` and ``text``.
    """
    shown = [e for e in help_given if date.fromisoformat(e["date"]) < as_of + MAX_LATER]
    last = max([as_of - timedelta(days=1), *(date.fromisoformat(e["date"]) for e in shown)])
    last -= timedelta(days=last.weekday())
    first = last - timedelta(weeks=WEEKS - 1)
    weeks = {date.fromisoformat(w[0]): w[1:] for w in past["weeks"]}
    all_events = [e for e in (*past["events"], *shown) if _over(e, last) >= first]
    bars, rows, months = [], [], []
    for n in range(WEEKS):
        monday = first + timedelta(weeks=n)
        possible, missed, unauthorised = weeks.get(monday, (0, 0, 0))
        share = [HEIGHT * x / possible if possible else 0.0 for x in (missed, unauthorised)]
        bars.append(WeekBar(n * SLOT, round(share[0], 1), round(share[1], 1), possible > 0))
        sunday = monday + timedelta(days=6)
        months.append(sunday.month if sunday.day <= 7 else 0)
        events = [e for e in all_events if monday <= date.fromisoformat(e["date"]) < monday + timedelta(weeks=1)]
        if missed or events:
            rows.append(
                {"week": monday, "missed": missed, "possible": possible, "unauthorised": unauthorised, "events": events}
            )
    rows.reverse()
    lanes = {lane: [_stroke(e, first, last) for e in all_events if e["lane"] == lane] for lane in LANES}
    peers = next((c["peers"] for c in past["compared"]), None)
    usual = round(HEIGHT * (1 - peers), 1) if peers is not None else None
    return Timeline(
        first=first,
        last=last,
        months=months,
        usual=usual,
        bars=bars,
        lanes={k: v for k, v in lanes.items() if v},
        rows=rows,
    )


def _over(event: dict[str, Any], last: date) -> date:
    """Return the day on which an event was over; a spell that goes on lasts to the end of the picture."""
    if "end" in event and event["end"] is None:
        return last + timedelta(weeks=1)
    return date.fromisoformat(event.get("end") or event["date"])


def _stroke(event: dict[str, Any], first: date, last: date) -> Stroke:
    end = last + timedelta(weeks=1)
    start = date.fromisoformat(event["date"])
    x, x_end = (_x(min(max(d, first), end), first) for d in (start, _over(event, last)))
    return Stroke(x, max(x_end - x, SLOT / 2), start >= first)


def _x(day: date, first: date) -> float:
    return round((day - first).days * SLOT / 7, 1)
