"""A child missing education is on no roll: the case records something else, such as absence, or a leaving was not recorded."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import corrected, main_rolls
from histories.rules.rule import Rule

MONTH = 30


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the cases that begin during a main-school spell that continues."""
    rolls = main_rolls(h).select("pupil_id", "entry_date", "until")
    begun = (
        corrected(h, table)
        .join(rolls, on="pupil_id", how="inner")
        .filter((nw.col("entry_date") < nw.col("missing_from")) & (nw.col("until") > nw.col("missing_from") + MONTH))
    )
    return begun.select("pupil_id", "missing_from").unique()


RULE = Rule(
    code="H103",
    severity="warning",
    title="cases of children who stayed on the roll of a main school for a month",
    reason=__doc__,
    do="Ask what the case list means, and ask the school about the leaving.",
    places=("cme",),
    broken=broken,
    needs=("enrolments",),
)
