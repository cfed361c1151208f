"""An age below zero is a mistyped year or a child expected by social care: it belongs to no cohort and must not be looked for in one."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import newest_day
from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the pupils who are not born yet."""
    return h.frame(table).filter(nw.col("date_of_birth") > newest_day(h))


RULE = Rule(
    code="H014",
    severity="warning",
    title="pupils born after the newest record",
    reason=__doc__,
    do="Correct the dates of birth; leave unborn children out.",
    places=("pupils",),
    broken=broken,
    needs=("enrolments",),
)
