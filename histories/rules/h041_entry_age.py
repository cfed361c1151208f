"""Babies and adults do not enter school: the date of birth or of entry has the wrong year."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import YEAR, births
from histories.rules.rule import Rule

YOUNGEST, OLDEST = 2, 20


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the entries at an impossible age."""
    days = nw.col("entry_date") - nw.col("date_of_birth")
    entries = h.frame(table).join(births(h), on="pupil_id", how="inner")
    return entries.filter((days < YOUNGEST * YEAR) | (days > OLDEST * YEAR))


RULE = Rule(
    code="H041",
    severity="warning",
    title=f"entries at an age under {YOUNGEST} or over {OLDEST}",
    reason=__doc__,
    do="Check the date of birth and the entry date.",
    places=("enrolments",),
    broken=broken,
    needs=("pupils",),
)
