"""A score cannot use what is recorded two months late; such rows explain the past but never help to act in time."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import DELAYED
from histories.reading.histories import Histories
from histories.rules.rule import Rule

LATE = 60  # days


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the rows recorded late."""
    return h.frame(table).filter(nw.col("known") - nw.col(DELAYED[table]) > LATE)


RULE = Rule(
    code="H031",
    severity="warning",
    title=f"rows recorded more than {LATE} days after they happened",
    reason=__doc__,
    do="Ask why they are late.",
    places=tuple(DELAYED),
    broken=broken,
)
