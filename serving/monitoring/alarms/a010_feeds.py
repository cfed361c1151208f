"""A feed that stopped or thinned looks like children to whom nothing happens. Their risks fall without a reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, apart, in_places
from serving.monitoring.evidence import Evidence
from serving.monitoring.season import Season
from training.measures.intervals import observed_over_expected

IN_TERM = ("attendance", "suspensions")  # tables of what happens on school days


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised]:
    """Compare the rows recorded in the last four weeks with those of the same weeks a year before, of all authorities and of each.

    A table that is not delivered at all has no rows of a year before either: the lists that were made with it tell that it came.
    """
    season = evidence.season
    if season is None:
        raise NotJudged("the histories were not looked at")
    raised = [
        Raised(f"the table is not delivered at all; the list of {day} was made with it", table, {"not delivered": 1.0})
        for table in season.absent
        if (day := _newest_with(evidence, table, season.day, limits["days"]))
    ]
    places = in_places(season.recorded, season.recorded_in)
    judged = [
        (table, place, *counts)
        for place, tables in places.items()
        for table, counts in tables.items()
        if _expected(season, table, counts[1]) >= max(limits["rows"], 1)
    ]
    for table, place, now, before in judged:
        # Both counts vary by chance: the design effect adds the variance of the earlier one.
        ratio = observed_over_expected(now, _expected(season, table, before), design=1 + now / before)
        if ratio and ratio.high < limits["share"]:
            parts = apart(ratio.value, "thinned") if now else {"stopped": 1.0}
            raised.append(Raised(_what(season, table, now, before), table + place, parts))
    if not judged and not raised:
        raise NotJudged("too few rows were recorded in the same weeks a year before")
    yield from raised


def _newest_with(evidence: Evidence, table: str, day: date, days: int) -> date | None:
    authorities = {x.authority for x in evidence.newest_lists()}
    return max(filter(None, (evidence.newest_with(table, a, day, days) for a in authorities)), default=None)


def _open_days(season: Season, table: str) -> tuple[int, int]:
    return season.open_days if table in IN_TERM else (1, 1)


def _expected(season: Season, table: str, before: int) -> float:
    """Return the rows of a year before, fewer if school was open on fewer days."""
    open_now, open_before = _open_days(season, table)
    return before * min(open_now / max(open_before, 1), 1.0)


def _what(season: Season, table: str, now: int, before: int) -> str:
    state = "has stopped" if now == 0 else "has thinned"
    days = _days(*_open_days(season, table))
    return f"the feed {state}: {now:,} rows recorded in four weeks, {before:,} in the same weeks a year before{days}"


def _days(now: int, before: int) -> str:
    return f" (school was open on {now} days, a year before on {before})" if now != before else ""


ALARM = Alarm(
    code="A010",
    title="a table's feed has stopped or thinned",
    reason=__doc__ or "",
    do="Ask whoever sends the table, and import what is missing before the next list is scored.",
    since=date(2026, 11, 30),
    check=check,
    compares_years=True,
)
