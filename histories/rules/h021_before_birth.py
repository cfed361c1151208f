"""Nobody is on a roll, suspended or missing before birth: the row belongs to another child, or one of the dates is wrong."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import START, births
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the rows that begin before birth."""
    return (
        h.frame(table)
        .join(births(h), on="pupil_id", how="inner")
        .filter(nw.col(START[table]) < nw.col("date_of_birth"))
    )


RULE = Rule(
    code="H021",
    severity="warning",
    title="rows dated before the child was born",
    reason=__doc__,
    do="Correct the date of birth or the date of the row.",
    places=("enrolments", "suspensions", "sen", "fsm", "cme"),
    broken=broken,
    needs=("pupils",),
)
