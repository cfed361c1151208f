"""A UPN with a wrong check letter was mistyped somewhere, and may be another child's or link to nobody."""

from __future__ import annotations

import narwhals as nw

from histories.identity import is_valid_upn
from histories.reading.histories import Histories
from histories.rules.rule import Rule, listed


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return a row for each UPN that is wrong."""
    upns = h.frame(table).select("upn").filter(~nw.col("upn").is_null()).collect()["upn"].to_list()
    return listed(h, [n for n, upn in enumerate(upns) if not is_valid_upn(upn)])


RULE = Rule(
    code="H010",
    severity="warning",
    title="UPNs whose form or check letter is wrong",
    reason=__doc__,
    do="Ask the schools; the rows are kept.",
    places=("pupils",),
    broken=broken,
)
