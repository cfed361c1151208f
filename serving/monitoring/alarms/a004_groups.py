"""A list can serve most children well and fail some groups. After go-live nobody else would notice."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, Unjudged, apart
from serving.monitoring.evidence import Evidence
from training.evaluation.fairness_report import FairnessReport

FIGURES = ("calibration", "recall")
FEW = "no group has enough children with a known outcome"


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised | Unjudged]:
    """Look for groups whose whole interval of calibration or recall lies beyond its limit on an authority's newest matured days, in counts with small numbers hidden."""
    looked = {of: evidence.by_group(of, limits["days"]) for of in evidence.current()}
    widest, named = {figure: limits[figure] for figure in FIGURES}, set(limits["groups"])
    reports = {of: r for of, r in looked.items() if r and _measures(r, named)}
    if not reports:
        raise NotJudged(FEW)
    yield from (Unjudged(FEW, of.name) for of in looked if of not in reports)
    for of, report in reports.items():
        for group, figure in report.beyond(widest):
            gap = group.gaps[figure]
            if gap is None or group.groups[0] not in named or (figure == "recall" and gap.value > 0):
                continue
            what = "observed over expected" if figure == "calibration" else "recall beside that of all other children"
            parts = apart(gap.value, figure) if figure == "calibration" else {"recall less": -gap.value}
            where = f"{of.name}, newest {limits['days']} days of lists with known outcomes, {group.groups[0]}: {group.title}"
            yield Raised(f"{what}: {gap}", where, parts)


def _measures(report: FairnessReport, named: Collection[str]) -> bool:
    return any(measured.groups[0] in named for figure in FIGURES for measured in report.measured(figure))


ALARM = Alarm(
    code="A004",
    title="the list fails a group of children",
    reason=__doc__ or "",
    do="Read the figures by group with people who know these children, and check their records first. Do not adjust scores by group.",
    since=date(2026, 11, 30),
    check=check,
)
