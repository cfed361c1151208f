"""A list can serve most children well and fail some groups. After go-live nobody else would notice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, apart
from serving.monitoring.evidence import Evidence


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised]:
    """Look for groups whose whole interval of calibration or recall lies beyond its limit on an authority's newest matured days, in counts with small numbers hidden."""
    looked = {of: evidence.by_group(of, limits["days"]) for of in evidence.current()}
    reports = {of: report for of, report in looked.items() if report}
    widest = {figure: limits[figure] for figure in ("calibration", "recall")}
    named = set(limits["groups"])
    if not any(s.groups[0] in named for r in reports.values() for figure in widest for s in r.measured(figure)):
        raise NotJudged("no group has enough children with a known outcome")
    for of, report in reports.items():
        for group, figure in report.beyond(widest):
            gap = group.gaps[figure]
            if gap is None or group.groups[0] not in named or (figure == "recall" and gap.value > 0):
                continue
            what = "observed over expected" if figure == "calibration" else "recall beside that of all other children"
            parts = apart(gap.value, figure) if figure == "calibration" else {"recall less": -gap.value}
            where = f"{of.place(limits['days'])}, {group.groups[0]}: {group.title}"
            yield Raised(f"{what}: {gap}", where, parts)


ALARM = Alarm(
    code="A004",
    title="the list fails a group of children",
    reason=__doc__ or "",
    do="Read the figures by group with people who know these children, and check their records first. Do not adjust scores by group.",
    since=date(2026, 11, 30),
    check=check,
)
