"""Without a recording date a row counts as known on the day it happened, so in training the model knows at once what in use arrives weeks later."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import START
from histories.rules.rule import Rule
from histories.tables import TABLES

PROMPT = ("attendance", "termly_attendance")  # marks are made on their day; a term's counts are taken as a term late
MIN = 100  # rows below which it is not worth asking


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
