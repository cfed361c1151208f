"""The last recorded version of a row counts. Nothing says which of two that were recorded on one day corrects the other, so the last by its values is taken."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule
from histories.tables import TABLES


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the keys that were recorded more than once on one day."""
    key = [*TABLES[table].key, "known"]
    return h.frame(table).group_by(*key).agg(nw.len().alias("times")).filter(nw.col("times") > 1)


RULE = Rule(
    code="H008",
    severity="error",
    title="rows with the same key that were recorded on the same day",
    reason=__doc__,
    do="Keep one, or give the correction its own recorded_on.",
    places=tuple(TABLES),
    broken=broken,
)
