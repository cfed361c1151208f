"""A school that sends no marks any more hides its absent children: on the list they look as they did on the last day with marks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised
from serving.monitoring.evidence import Evidence


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised]:
    """Look for schools that sent marks within two years, but none for two weeks in which most schools did."""
    schools = evidence.season.silent_schools if evidence.season else None
    if schools is None:
        raise NotJudged("there are no marks, school was open on too few days, or most schools send none")
    for school in schools:
        if school.children >= limits["children"]:
            yield Raised(
                f"{school.children:,} children are on its roll; its last mark is of {school.last_mark}",
                f"school {school.urn}",
                {"silent": 1.0},
            )


ALARM = Alarm(
    code="A011",
    title="a school's register is silent",
    reason=__doc__ or "",
    do="Ring the school, and tell the team that its children's risks are those of the last day with marks.",
    since=date(2026, 11, 29),
    check=check,
)
