"""An export that omits a kind of absence hides every absent child of the school."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import school_years
from histories.reading.histories import Histories
from histories.rules.rule import Rule, listed

MIN = 2000  # marks of a year below which it may happen


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the school years in which one kind of absence never occurs."""
    years = {y: m for y, m in school_years(h).items() if m["all"] >= MIN}
    return listed(h, [y for y, m in years.items() if m["unauthorised"] in (0, m["absent"])])


RULE = Rule(
    code="H069",
    severity="warning",
    title="years without any authorised, or without any unauthorised, absence",
    reason=__doc__,
    do="Does the supplier's export include all codes?",
    places=("attendance",),
    broken=broken,
)
