"""Without a recording date a row counts as known on the day it happened, so a model is trained on records that in practice arrive weeks later."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import START
from histories.rules.rule import Rule
from histories.tables import TABLES

PROMPT = (
    "attendance",
    "termly_attendance",
)  # marks are recorded on their day; counts of a term are assumed to arrive a term late
MIN = 100  # rows below which it does not matter


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the rows without a recording date if they are the majority."""
    silent = h.frame(table).filter(nw.col("recorded_on").is_null())
    everything, without = (f.select(nw.len().alias("n")).collect().item() for f in (h.frame(table), silent))
    return silent if everything >= MIN and without > everything / 2 else silent.head(0)


RULE = Rule(
    code="H034",
    severity="warning",
    title="rows without a recording date, in tables where most have none",
    reason=__doc__,
    do="Export the recording date with the rows.",
    places=tuple(t for t in START if "recorded_on" in TABLES[t].columns and t not in PROMPT),
    broken=broken,
)
