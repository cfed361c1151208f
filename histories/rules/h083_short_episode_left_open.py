"""Such episodes last days or weeks; one left open was never closed in the system, and the child still counts as known to services."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import newest_day
from histories.reading.histories import Histories
from histories.rules.days import YEAR, corrected
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the open episodes of kinds that are short."""
    open_for = newest_day(h) - nw.col("start_date")
    missing = (nw.col("kind") == "missing") & (open_for > 60)
    looked_at = nw.col("kind").is_in(["referral", "assessment"]) & (open_for > YEAR)
    return corrected(h, table).filter(nw.col("end_date").is_null() & (missing | looked_at))


RULE = Rule(
    code="H083",
    severity="warning",
    title="missing episodes open for two months, referrals and assessments open for a year",
    reason=__doc__,
    do="Close the episodes; a child who is still missing needs help today.",
    places=("social_care",),
    broken=broken,
    needs=("enrolments",),
)
