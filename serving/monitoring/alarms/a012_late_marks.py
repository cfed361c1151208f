"""Marks that arrive late are unknown on the day of the list, so that it sees children stop coming later than it did when it was tested."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, Unjudged, in_places
from serving.monitoring.evidence import Evidence

FEW = "too few marks were recorded in these weeks, or in the same weeks a year before"


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised | Unjudged]:
    """Compare the mean delay of marks recorded in the last four weeks with that of the same weeks a year before, of all authorities and of each."""
    season = evidence.season
    places = in_places(season.delays, season.delays_in) if season and season.delays else {}
    judged = {place: d for place, d in places.items() if min(d[0].marks, d[1].marks) >= limits["rows"]}
    if not judged:
        raise NotJudged(FEW)
    yield from (Unjudged(FEW, f"attendance{place}") for place in places if place not in judged)
    for place, (now, before) in judged.items():
        if now.days - before.days > limits["days"]:
            yield Raised(
                f"marks are recorded {now.days:.1f} days after their day on average, {before.days:.1f} a year before",
                f"attendance{place}",
                {"days": now.days - before.days},
            )


ALARM = Alarm(
    code="A012",
    title="marks are recorded late",
    reason=__doc__ or "",
    do="Ask whoever sends marks what changed; until then score with the day of the newest marks in mind.",
    since=date(2026, 11, 30),
    check=check,
    compares_years=True,
)
