"""A feature that was known for most children and now is not leaves the model guessing, although the table is still there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, Unjudged, in_places
from serving.monitoring.evidence import Evidence
from serving.monitoring.season import Season, Shift

MAX_NAMED = 5
FEW = "the histories hold too few children of a year before"


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised | Unjudged]:
    """Compare the share of children without a value with that of the same week a year before, of all authorities and of each."""
    season = evidence.season
    places = in_places((season.totals, season.shifts), _in_authorities(season)) if season else {}
    judged = {place: of for place, of in places.items() if min(of[0]) >= limits["children"] and of[1]}
    if not judged:
        raise NotJudged(FEW)
    yield from (Unjudged(FEW, f"features{place}") for place in places if place not in judged)
    for place, (_, shifts) in judged.items():
        more = {name: s for name, s in shifts.items() if s.alike and s.missing - s.missing_before > limits["share"]}
        if more:
            yield _raised(more, place)


def _in_authorities(season: Season) -> dict[str, tuple[tuple[int, int], Mapping[str, Shift]]]:
    return {a: (season.children.get(a, (0, 0)), shifts) for a, shifts in season.shifts_in.items()}


def _raised(more: Mapping[str, Shift], place: str) -> Raised:
    worst = sorted(more, key=lambda name: more[name].missing_before - more[name].missing)[:MAX_NAMED]
    shares = "; ".join(
        f"{name} {more[name].missing:.0%}, a year before {more[name].missing_before:.0%}" for name in worst
    )
    what = f"{len(more)} features are missing for more children: {shares}"
    parts = {name: s.missing - s.missing_before for name, s in more.items()}
    return Raised(what, f"{', '.join(worst)}{place}", parts, place=f"features{place}")


ALARM = Alarm(
    code="A013",
    title="more values are missing than a year before",
    reason=__doc__ or "",
    do="Find the table and column behind the feature (docs/features.md), and what became of it in the newest import.",
    since=date(2026, 11, 30),
    check=check,
    compares_years=True,
)
