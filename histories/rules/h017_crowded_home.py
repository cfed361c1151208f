"""A hostel, a children's home or a placeholder address turns strangers into siblings, whose events then count for each other."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import corrected
from histories.rules.rule import Rule

MAX = 12


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the households with too many children today."""
    living = corrected(h, table).filter(nw.col("end_date").is_null() & ~nw.col("household_id").is_null())
    each = living.select("household_id", "pupil_id").unique().group_by("household_id")
    return each.agg(nw.len().alias("pupils")).filter(nw.col("pupils") > MAX)


RULE = Rule(
    code="H017",
    severity="warning",
    title=f"homes with more than {MAX} pupils at once",
    reason=__doc__,
    do="Leave household_id empty for homes that are not a family's.",
    places=("addresses",),
    broken=broken,
)
