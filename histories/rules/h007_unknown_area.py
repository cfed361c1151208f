"""An area without a row has no decile. Homes and areas are often coded to different census years."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the homes whose area is not in areas."""
    areas = h.frame("areas").select("lsoa").unique()
    return h.frame(table).filter(~nw.col("lsoa").is_null()).join(areas, on="lsoa", how="anti")


RULE = Rule(
    code="H007",
    severity="warning",
    title="areas that are not in the table areas",
    reason=__doc__,
    do="Add the areas; deprivation is unknown without them.",
    places=("addresses",),
    broken=broken,
    needs=("areas",),
)
