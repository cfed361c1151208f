"""If many more or fewer children went missing than the risks said, every number on the list misleads, in whatever order the list is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import FEW, Alarm, Limits, NotJudged, Raised, Unjudged, apart
from serving.monitoring.evidence import Evidence
from serving.monitoring.promises import compare, expected_children


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised | Unjudged]:
    """Compare the newest matured days of each authority, of more of them while few children were expected to go missing."""
    is_judged, most = False, limits["ratio"]
    for of in evidence.current():
        recent = evidence.until_enough(of, limits, expected_children)
        comparison = compare(recent.outcomes.scored)
        ratio = comparison.ratio
        if ratio is None or recent.expected < limits["expected"]:
            yield Unjudged(FEW, recent.place)
            continue
        is_judged = True
        if ratio.low > most or ratio.high < 1 / most:
            what = (
                f"the risks said that {comparison.expected:.1f} children would go missing, and {comparison.observed} did (observed over expected {ratio}; "
                f"allowed {1 / most:.2f} to {most:.2f})"
            )
            yield Raised(what, recent.where, apart(ratio.value), place=recent.place)
    if not is_judged:
        raise NotJudged(FEW)


ALARM = Alarm(
    code="A001",
    title="more or fewer children go missing than the risks say",
    reason=__doc__ or "",
    do="Find out what changed: recording (onroll check), the definition, the cohort, or help that was given. Then train again, or withdraw the version.",
    since=date(2026, 11, 30),
    check=check,
)
