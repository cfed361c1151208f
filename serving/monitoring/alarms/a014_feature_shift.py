"""A feature whose values have left what is usual for this time of year was recorded differently, or children's lives have changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised
from serving.monitoring.evidence import Evidence

MAX_NAMED = 5


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised]:
    """Compare each feature's distribution with that of the same week a year before."""
    shifts = evidence.season.shifts if evidence.season else {}
    judged = {name: s.index for name, s in shifts.items() if s.index is not None and s.values >= limits["children"]}
    if not judged:
        raise NotJudged("the histories hold too few children of a year before")
    moved = {name: index for name, index in judged.items() if index > limits["index"]}
    if moved:
        worst = sorted(moved, key=lambda name: -moved[name])[:MAX_NAMED]
        indexes = "; ".join(f"{name} {moved[name]:.2f}" for name in worst)
        yield Raised(
            f"{len(moved)} of {len(judged)} features lie outside {limits['index']:g} on the stability index: {indexes}",
            ", ".join(worst),
        )


ALARM = Alarm(
    code="A014",
    title="features are distributed otherwise than at this time of last year",
    reason=__doc__ or "",
    do="Look at the records behind the features first (onroll check); if children's lives have changed, train on newer terms.",
    since=date(2026, 11, 29),
    check=check,
)
