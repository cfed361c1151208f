"""A few unknown codes are slips; more than one in a thousand means that a supplier uses non-standard codes."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import school_years
from histories.reading.histories import Histories
from histories.rules.rule import Rule, listed

UNKNOWN = 0.001  # share of a year's marks


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the school years with too many unknown codes."""
    return listed(h, [y for y, marks in school_years(h).items() if marks["unknown"] > UNKNOWN * marks["all"]])


RULE = Rule(
    code="H003",
    severity="warning",
    title="years in which more than one mark in a thousand has an unknown code",
    reason=__doc__,
    do="Map the codes with a mapping file.",
    places=("attendance",),
    broken=broken,
)
