"""A negative age is a mistyped year or an unborn child known to social care; neither belongs in a cohort."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import newest_day
from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the pupils born after the newest record."""
    return h.frame(table).filter(nw.col("date_of_birth") > newest_day(h))


RULE = Rule(
    code="H014",
    severity="warning",
    title="pupils born after the newest record",
    reason=__doc__,
    do="Correct the dates of birth; remove unborn children.",
    places=("pupils",),
    broken=broken,
    needs=("enrolments",),
)
