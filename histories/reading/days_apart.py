"""The first and the last day of records, without single rows that lie far from all others: a year that was typed wrong says nothing of when records begin or end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import narwhals as nw

from histories.reading.frames import collect

APART = 60  # days without any row; the summer holidays are shorter
MAX_DAYS = 3  # with more days beyond such a gap, records went on after it
MAX_ROWS = 100
ONE_IN = 1000  # rows; with fewer in all, each may be all that was recorded of its time


@dataclass(frozen=True)
class Span:
    """The first and the last day of records as numbers, None without records, and how many rows lie far before and far after."""

    first: int | None
    last: int | None
    before: int = 0
    after: int = 0


def span(rows: nw.LazyFrame, column: str) -> Span:
    """Return the days between which rows lie, on a column of day numbers."""
    counts = collect(rows.filter(~nw.col(column).is_null()).group_by(column).agg(nw.len().alias("rows")))
    return span_of(counts.select(column, "rows").rows())


def span_of(counts: Iterable[tuple[int, int]]) -> Span:
    """Return the days between which rows lie, from the number of rows of each day.

    Examples
    --------
    >>> span_of([(16000, 1), *((day, 400) for day in range(19700, 19750)), (20100, 2)])
    Span(first=19700, last=19749, before=1, after=2)
    """
    days = sorted((int(day), rows) for day, rows in counts)
    if not days:
        return Span(None, None)
    few = min(MAX_ROWS, sum(rows for _, rows in days) // ONE_IN)
    before, after = _apart(days, few), _apart(days[::-1], few)
    first, last = days[before][0], days[-1 - after][0]
    return Span(first, last, sum(rows for _, rows in days[:before]), sum(rows for _, rows in days[len(days) - after :]))


def _apart(days: list[tuple[int, int]], few: int) -> int:
    """Return how many days at the beginning hold a few rows and lie far from the next."""
    apart = 0
    for n in range(1, min(MAX_DAYS, len(days) - 1) + 1):
        if sum(rows for _, rows in days[:n]) <= few and abs(days[n][0] - days[n - 1][0]) > APART:
            apart = n
    return apart
