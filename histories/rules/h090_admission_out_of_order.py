"""Each step is known from its own date; a wrong date lets a score see an answer before the offer."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the applications whose dates are out of order."""
    applied, offered, answered = (nw.col(c) for c in ("applied_on", "offered_on", "response_on"))
    backwards = (offered < applied, answered < offered, answered < applied)
    return h.frame(table).filter(nw.any_horizontal(*backwards, ignore_nulls=True))


RULE = Rule(
    code="H090",
    severity="warning",
    title="applications whose dates are out of order",
    reason=__doc__,
    do="Correct the dates; a year may be wrong.",
    places=("admissions",),
    broken=broken,
)
