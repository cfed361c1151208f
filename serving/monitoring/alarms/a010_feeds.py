"""A feed that stopped or thinned looks like children to whom nothing happens. Their risks fall without a reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised
from serving.monitoring.evidence import Evidence
from training.measures.intervals import observed_over_expected

IN_TERM = ("attendance", "suspensions")  # tables of what happens on school days


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised]:
    """Compare the rows recorded in the last four weeks with those of the same weeks a year before."""
    season = evidence.season
    is_judged = False
    for table, (now, before) in season.recorded.items() if season else ():
        open_now, open_before = season.open_days if season and table in IN_TERM else (1, 1)
        expected = before * min(open_now / max(open_before, 1), 1.0)
        if expected < limits["rows"]:
            continue
        is_judged = True
        # Both counts vary by chance: the design effect adds the variance of the earlier one.
        ratio = observed_over_expected(now, expected, design=1 + now / before)
        if ratio and ratio.high < limits["share"]:
            state = "has stopped" if now == 0 else "has thinned"
            yield Raised(
                f"the feed {state}: {now:,} rows recorded in four weeks, {before:,} in the same weeks a year before{_days(open_now, open_before)}",
                table,
            )
    if not is_judged:
        raise NotJudged("too few rows were recorded in the same weeks a year before")


def _days(now: int, before: int) -> str:
    return f" (school was open on {now} days, a year before on {before})" if now != before else ""


ALARM = Alarm(
    code="A010",
    title="a table's feed has stopped or thinned",
    reason=__doc__ or "",
    do="Ask whoever sends the table, and import what is missing before the next list is scored.",
    since=date(2026, 11, 29),
    check=check,
)
