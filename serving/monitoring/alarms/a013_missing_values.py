"""A feature that was known for most children and now is not leaves the model guessing, although the table is still there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised
from serving.monitoring.evidence import Evidence

MAX_NAMED = 5


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised]:
    """Compare the share of children without a value with that of the same week a year before."""
    season = evidence.season
    now, before = season.totals if season else (0, 0)
    if season is None or min(now, before) < limits["children"] or not season.shifts:
        raise NotJudged("the histories hold too few children of a year before")
    more = {name: s for name, s in season.shifts.items() if s.alike and s.missing - s.missing_before > limits["share"]}
    if more:
        worst = sorted(more, key=lambda name: more[name].missing_before - more[name].missing)[:MAX_NAMED]
        shares = "; ".join(
            f"{name} {more[name].missing:.0%}, a year before {more[name].missing_before:.0%}" for name in worst
        )
        what = f"{len(more)} features are missing for more children: {shares}"
        parts = {name: s.missing - s.missing_before for name, s in more.items()}
        yield Raised(what, ", ".join(worst), parts, place="features")


ALARM = Alarm(
    code="A013",
    title="more values are missing than a year before",
    reason=__doc__ or "",
    do="Find the table and column behind the feature (docs/features.md), and what became of it in the newest import.",
    since=date(2026, 11, 29),
    check=check,
)
