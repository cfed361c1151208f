"""An export that leaves out a kind of absence shows a school in which nobody is absent: no child there can ever be found."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import school_years
from histories.reading.histories import Histories
from histories.rules.rule import Rule, listed

MIN = 2000  # marks of a year below which it may happen


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the school years in which a kind of absence never occurs."""
    years = {y: m for y, m in school_years(h).items() if m["all"] >= MIN}
    return listed(h, [y for y, m in years.items() if m["unauthorised"] in (0, m["absent"])])


RULE = Rule(
    code="H069",
    severity="warning",
    title="years without one authorised, or without one unauthorised, absence",
    reason=__doc__,
    do="Look at the supplier's export: are all codes in it?",
    places=("attendance",),
    broken=broken,
)
