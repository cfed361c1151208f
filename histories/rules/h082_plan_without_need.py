"""A plan names a need. Without it, children with the needs most common in missing education look like all others."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import corrected
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the plans without a need."""
    return corrected(h, table).filter((nw.col("provision") == "E") & nw.col("primary_need").is_null())


RULE = Rule(
    code="H082",
    severity="warning",
    title="education, health and care plans without a primary need",
    reason=__doc__,
    do="Import the needs; the spring census includes them.",
    places=("sen",),
    broken=broken,
)
