"""If most of the first children are new each week, the team cannot follow anybody up, and the list may be noise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, Unjudged
from serving.monitoring.evidence import Evidence

NONE = "there are no two lists of one version within the days of the limit, or the capacity is small"


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised | Unjudged]:
    """Compare the first children of each authority's newest list with those of the previous one of the same version."""
    is_judged = False
    for newest, previous in evidence.first_children.items():
        if (
            previous is None
            or (newest.as_of - previous.of.as_of).days > limits["days"]
            or min(previous.places, newest.children, previous.of.children) < limits["children"]
        ):
            yield Unjudged(NONE, newest.place)
            continue
        is_judged = True
        if previous.kept < limits["kept"]:
            yield Raised(
                f"{previous.kept:.0%} of its first {previous.places} children were among the first on {previous.of.as_of}",
                newest.place,
                {"changed": 1 - previous.kept},
            )
    if not is_judged:
        raise NotJudged(NONE)


ALARM = Alarm(
    code="A008",
    title="the first children of the list have nearly all changed",
    reason=__doc__ or "",
    do="Compare the two days' records (onroll check): a return imported twice, in part or late changes many ranks at once.",
    since=date(2026, 11, 29),
    check=check,
)
