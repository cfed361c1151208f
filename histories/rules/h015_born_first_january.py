"""Systems enter 1 January for an unknown birthday; age, year group and links by birthday are then guesses."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import YEAR, is_first_january
from histories.rules.rule import Rule

TIMES = 3
MIN = 300  # pupils below which a few say nothing


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the pupils born on 1 January if there are too many."""
    born = h.frame(table).filter(is_first_january(nw.col("date_of_birth")))
    everybody, january = (f.select(nw.len().alias("n")).collect().item() for f in (h.frame(table), born))
    too_many = everybody >= MIN and january > TIMES * everybody / YEAR
    return born if too_many else born.head(0)


RULE = Rule(
    code="H015",
    severity="warning",
    title="pupils born on 1 January, over three times as many as expected",
    reason=__doc__,
    do="Ask the schools for the birthdays.",
    places=("pupils",),
    broken=broken,
)
