"""Two pupils with one UPN are either one child whose history is split, or two children of whom one has the other's UPN."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the UPNs of more than one pupil."""
    upns = h.frame(table).filter(~nw.col("upn").is_null()).select("upn", "pupil_id").unique()
    return upns.group_by("upn").agg(nw.len().alias("times")).filter(nw.col("times") > 1)


RULE = Rule(
    code="H011",
    severity="error",
    title="UPNs shared by several pupils",
    reason=__doc__,
    do="Merge the pupils, or correct the wrong UPN.",
    places=("pupils",),
    broken=broken,
)
