"""An answer without an offer shows a child without a place as one who has a place."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the applications with an answer but no offer."""
    answered = ~nw.col("response").is_null() | ~nw.col("response_on").is_null()
    return h.frame(table).filter(answered & nw.col("offered_urn").is_null() & nw.col("offered_on").is_null())


RULE = Rule(
    code="H092",
    severity="warning",
    title="answers without an offer",
    reason=__doc__,
    do="Add the offer, or remove the answer.",
    places=("admissions",),
    broken=broken,
)
