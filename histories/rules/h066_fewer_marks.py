"""A year with far fewer marks lacks schools or weeks, so its rates by school are incomplete."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import school_years
from histories.reading.histories import Histories
from histories.rules.rule import Rule, listed

FEWER = 1 / 3
MIN = 2000  # marks of a year below which it is too small to compare


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the school years with far fewer marks than the year before, except the first two and the current one."""
    marks = {y: m["all"] for y, m in school_years(h).items() if m["all"] >= MIN}
    whole = [y for y in marks if y < max(marks) and y - 1 in marks and y - 1 > min(marks)]
    return listed(h, [y for y in whole if marks[y] < (1 - FEWER) * marks[y - 1]])


RULE = Rule(
    code="H066",
    severity="warning",
    title="years with a third fewer marks than the year before",
    reason=__doc__,
    do="Import the missing marks.",
    places=("attendance",),
    broken=broken,
)
