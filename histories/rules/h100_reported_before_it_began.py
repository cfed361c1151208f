"""A child cannot be reported before going missing; the dates may be swapped, and delays come out too short."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the cases reported before they began."""
    return h.frame(table).filter(nw.col("reported_on") < nw.col("missing_from"))


RULE = Rule(
    code="H100",
    severity="warning",
    title="cases reported before the child went missing",
    reason=__doc__,
    do="Correct missing_from or reported_on.",
    places=("cme",),
    broken=broken,
)
