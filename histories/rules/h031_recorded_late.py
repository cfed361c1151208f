"""A score cannot use what is recorded two months late; such rows explain the past but never help to act in time."""

from __future__ import annotations

import narwhals as nw
import pyarrow as pa

from histories.checks.profile import DELAYED
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.rules.rule import Rule
from histories.tables import TABLES

LATE = 60  # days
CENSUS = ("enrolments", "suspensions", "sen")  # recorded by censuses, three times a year


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the rows recorded late although an earlier recording was possible: a census records events only on census day."""
    happened = nw.col(DELAYED[table])
    if table not in CENSUS:
        return h.frame(table).filter(nw.col("known") - happened > LATE)
    recorded = h.frame(table).filter(~nw.col(TABLES[table].known_from[0]).is_null()).select("known").unique()
    days = sorted(collect(recorded)["known"].to_list())
    chances = pa.table({"known": pa.array(days[1:], pa.int32()), "chance": pa.array(days[:-1], pa.int32())})
    rows = h.frame(table).join(h.given(chances), on="known", how="inner")
    return rows.filter((nw.col("known") - happened > LATE) & (nw.col("chance") >= happened))


RULE = Rule(
    code="H031",
    severity="warning",
    title=f"rows recorded more than {LATE} days after they happened",
    reason=__doc__,
    do="Ask why they are late.",
    places=tuple(DELAYED),
    broken=broken,
)
