"""A UPN with a wrong check letter was mistyped, and may link to another child or to nobody."""

from __future__ import annotations

import narwhals as nw

from histories.identity import is_valid_upn
from histories.reading.histories import Histories
from histories.rules.rule import Rule, listed


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return one row for each invalid UPN."""
    upns = h.frame(table).select("upn").filter(~nw.col("upn").is_null()).collect()["upn"].to_list()
    return listed(h, [n for n, upn in enumerate(upns) if not is_valid_upn(upn)])


RULE = Rule(
    code="H010",
    severity="warning",
    title="UPNs with an invalid form or check letter",
    reason=__doc__,
    do="Ask the schools; the rows are kept.",
    places=("pupils",),
    broken=broken,
)
