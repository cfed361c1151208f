"""If many more or fewer children went missing than the risks said, every number on the list misleads, in whatever order the list is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, apart
from serving.monitoring.evidence import Current, Evidence
from serving.monitoring.promises import Comparison, compare, expected_children


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised]:
    """Compare the newest matured days of each authority's current version, of more of them while few children were expected to go missing."""
    judged: dict[Current, tuple[Comparison, int]] = {}
    for of in evidence.current():
        recent, expected, days = evidence.until_enough(of, limits, expected_children)
        comparison = compare(recent.scored)
        if expected >= limits["expected"] and comparison.ratio:
            judged[of] = comparison, days
    if not judged:
        raise NotJudged(
            "too few children were expected to go missing on these lists; with more 'most_days' more lists are looked at"
        )
    most = limits["ratio"]
    for of, (comparison, days) in judged.items():
        ratio = comparison.ratio
        if ratio and (ratio.low > most or ratio.high < 1 / most):
            what = (
                f"the risks said that {comparison.expected:.1f} children would go missing, and {comparison.observed} did (observed over expected {ratio}; "
                f"allowed {1 / most:.2f} to {most:.2f})"
            )
            yield Raised(what, of.place(days), apart(ratio.value), place=of.name)


ALARM = Alarm(
    code="A001",
    title="more or fewer children go missing than the risks say",
    reason=__doc__ or "",
    do="Find out what changed: recording (onroll check), the definition, the cohort, or help that was given. Then train again, or withdraw the version.",
    since=date(2026, 11, 30),
    check=check,
)
