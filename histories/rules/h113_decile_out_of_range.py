"""Ranks or scores were taken for deciles: deprivation then has another scale than the one the model has learnt."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the areas whose decile is none."""
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
