"""Such a case is never open on any day, so a child who was missing is scored as if nothing had happened."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the cases resolved before they were reported."""
    return h.frame(table).filter(nw.col("resolved_on") < nw.col("reported_on"))


RULE = Rule(
    code="H101",
    severity="warning",
    title="cases resolved before they were reported",
    reason=__doc__,
    do="Correct reported_on or resolved_on.",
    places=("cme",),
    broken=broken,
)
