"""Records that end weeks ago make every list old, and all other alarms go on judging the day on which the records end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from histories.calendar import EPOCH, school_days
from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, in_places
from serving.monitoring.evidence import Evidence

DAY = timedelta(days=1)


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised]:
    """Count the school days between the newest record of schooling and today, of all authorities and of each that has children."""
    newest, today = evidence.last_known, evidence.today
    if newest is None or today is None or newest == EPOCH:
        raise NotJudged("the histories hold no dated record of schooling")
    of_each = evidence.season.newest_in if evidence.season else {}
    for place, last in in_places(newest, of_each).items():
        days = len(school_days(last + DAY, today - DAY))
        if days > limits["school_days"]:
            yield Raised(
                f"the newest record is of {last}; {days} school days have passed between it and {today}",
                f"every table of schooling{place}",
                {"school days": days},
            )


ALARM = Alarm(
    code="A017",
    title="the import has stopped",
    reason=__doc__ or "",
    do="Run the import, and find out why its job ended; until then tell the team that the list is old. Older records on purpose: name their day with --as-of.",
    since=date(2026, 11, 30),
    check=check,
)
