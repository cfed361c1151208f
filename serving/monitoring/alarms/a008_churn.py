"""If most of the first children are new each week, the team cannot follow anybody up, and the list may be noise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, Unjudged
from serving.monitoring.evidence import Evidence
from training.measures.intervals import wilson

NONE = "there are no two lists of one version within the days of the limit"
SMALL = "so few first children can all be others by chance"


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised | Unjudged]:
    """Compare the first children of each authority's newest list with those of the previous one of the same version.

    Of few children hardly any may stay by chance, so that the whole interval of the share decides.
    """
    is_judged, why = False, NONE
    for newest, previous in evidence.first_children.items():
        if previous is None or (newest.as_of - previous.of.as_of).days > limits["days"]:
            yield Unjudged(NONE, newest.place)
            continue
        places = min(previous.places, newest.children, previous.of.children)
        none, share = wilson(0, places), wilson(previous.kept * places, places)
        if none is None or share is None or none.high >= limits["kept"]:
            why = SMALL
            yield Unjudged(SMALL, newest.place)
            continue
        is_judged = True
        if share.high < limits["kept"]:
            yield Raised(
                f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%}) of its first {places} children were among the first on {previous.of.as_of}; "
                f"allowed {limits['kept']:.0%}",
                newest.place,
                {"changed": 1 - share.value},
            )
    if not is_judged:
        raise NotJudged(why)


ALARM = Alarm(
    code="A008",
    title="the first children of the list have nearly all changed",
    reason=__doc__ or "",
    do="Compare the two days' records (onroll check): a return imported twice, in part or late changes many ranks at once.",
    since=date(2026, 11, 30),
    check=check,
)
