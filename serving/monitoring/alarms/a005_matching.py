"""Children who cannot be found any more have no outcome. If there are many, the figures are about the others only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised
from serving.monitoring.evidence import Evidence
from serving.monitoring.outcomes import NOT_IN_COHORT, NOT_MATCHED


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised]:
    """Look at the newest matured list that each authority was shown for many children who are not in the histories, or no longer in the cohort of the day.

    What was wrong with an older list, or with one that nobody was shown, would keep the alarm up for ever.
    """
    matured = evidence.newest_results()
    if not matured:
        raise NotJudged("no list's outcomes are known yet")
    for r in matured:
        lost, gone = r.fates[NOT_MATCHED], r.fates[NOT_IN_COHORT]
        if lost + gone > limits["share"] * r.of.children:
            what = f"of {r.of.children:,} children {lost:,} are not in the histories and {gone:,} no longer in the cohort of the day"
            yield Raised(what, r.of.place, {"lost": (lost + gone) / r.of.children})


ALARM = Alarm(
    code="A005",
    title="children of a list cannot be found in the histories",
    reason=__doc__ or "",
    do="Name the histories that the list was scored from, with the same pseudonym key and --cohort, or find out why their records changed.",
    since=date(2026, 11, 30),
    check=check,
)
