"""A feature whose values have left what is usual for this time of year was recorded differently, or children's lives have changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, Unjudged, in_places
from serving.monitoring.evidence import Evidence
from serving.monitoring.season import Shift

MAX_NAMED = 5
FEW = "the histories hold too few children of the same weeks of the two years before"


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised | Unjudged]:
    """Compare each feature's shift since the same week a year before with the shift of the year before that, of all authorities and of each."""
    season = evidence.season
    places = in_places(season.shifts, season.shifts_in) if season else {}
    judged = {place: of for place, shifts in places.items() if (of := _judged(shifts, limits["children"]))}
    if not judged:
        raise NotJudged(FEW)
    yield from (Unjudged(FEW, f"features{place}") for place in places if place not in judged)
    least, times = limits["difference"], limits["times"]
    for place, of in judged.items():
        moved = {name: d for name, (d, usual) in of.items() if abs(d) > max(least, times * abs(usual))}
        if moved:
            yield _raised(moved, of, place)


def _judged(shifts: Mapping[str, Shift], children: int) -> dict[str, tuple[float, float]]:
    return {
        name: (s.difference, s.usual)
        for name, s in shifts.items()
        if s.alike and s.difference is not None and s.usual is not None and s.values >= children
    }


def _raised(moved: Mapping[str, float], judged: Mapping[str, tuple[float, float]], place: str) -> Raised:
    worst = sorted(moved, key=lambda name: -abs(moved[name]))[:MAX_NAMED]
    shifts_text = "; ".join(f"{name} {moved[name]:+.2f}, the year before {judged[name][1]:+.2f}" for name in worst)
    what = f"{len(moved)} of {len(judged)} features shifted, in standard deviations: {shifts_text}"
    parts = {f"{name} {'more' if d > 0 else 'less'}": abs(d) for name, d in moved.items()}
    return Raised(what, f"{', '.join(worst)}{place}", parts, place=f"features{place}")


ALARM = Alarm(
    code="A014",
    title="features are distributed otherwise than at this time of last year",
    reason=__doc__ or "",
    do="Look at the records behind the features first (onroll check); if children's lives have changed, train on newer terms.",
    since=date(2026, 11, 30),
    check=check,
    compares_years=True,
)
