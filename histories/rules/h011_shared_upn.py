"""Two pupils with one UPN are one child whose history is cut in two, or two children one of whom has the other's."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the UPNs that more than one pupil has."""
    own = h.frame(table).filter(~nw.col("upn").is_null()).select("upn", "pupil_id").unique()
    return own.group_by("upn").agg(nw.len().alias("times")).filter(nw.col("times") > 1)


RULE = Rule(
    code="H011",
    severity="error",
    title="UPNs that two pupils share",
    reason=__doc__,
    do="Join the two, or correct the one that is wrong.",
    places=("pupils",),
    broken=broken,
)
