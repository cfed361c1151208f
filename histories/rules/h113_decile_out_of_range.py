"""Ranks or scores were imported as deciles, so deprivation is on a different scale from the one the model learned."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the areas whose decile is out of range."""
    return h.frame(table).filter((nw.col("idaci_decile") < 1) | (nw.col("idaci_decile") > 10))


RULE = Rule(
    code="H113",
    severity="error",
    title="deciles outside 1 to 10",
    reason=__doc__,
    do="Import the decile column, 1 for the most deprived.",
    places=("areas",),
    broken=broken,
)
