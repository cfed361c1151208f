"""Nobody enters a school as a baby or as an adult: the date of birth or the entry has a wrong year."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import YEAR, births
from histories.rules.rule import Rule

YOUNGEST, OLDEST = 2, 20


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the entries at an age that cannot be."""
    days = nw.col("entry_date") - nw.col("date_of_birth")
    entries = h.frame(table).join(births(h), on="pupil_id", how="inner")
    return entries.filter((days < YOUNGEST * YEAR) | (days > OLDEST * YEAR))


RULE = Rule(
    code="H041",
    severity="warning",
    title=f"entries at an age under {YOUNGEST} or over {OLDEST}",
    reason=__doc__,
    do="Look at the date of birth and the entry.",
    places=("enrolments",),
    broken=broken,
    needs=("pupils",),
)
