"""A day has two sessions. If one is missing, the supplier sends half a register and late arrivals look absent."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import school_years
from histories.reading.histories import Histories
from histories.rules.rule import Rule, listed

MIN = 2000  # marks of a year below which it is too small to compare


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the school years in which one session has a tenth fewer marks."""
    sessions = {y: (m["AM"], m["PM"]) for y, m in school_years(h).items() if m["all"] >= MIN}
    return listed(h, [y for y, both in sessions.items() if min(both) < 0.9 * max(both)])


RULE = Rule(
    code="H067",
    severity="warning",
    title="years with far more marks of one session than of the other",
    reason=__doc__,
    do="Import the other session.",
    places=("attendance",),
    broken=broken,
)
