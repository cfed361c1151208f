"""Without a leaving date the child never left, so a child who went missing stays on the roll and the outcome is lost to the model."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule

LEAVING = ("leaving_ground", "destination", "destination_urn")


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the spells that describe a leaving but have no leaving date."""
    has_leaving = nw.any_horizontal(*(~nw.col(c).is_null() for c in LEAVING), ignore_nulls=True)
    return h.frame(table).filter(nw.col("leaving_date").is_null() & has_leaving)


RULE = Rule(
    code="H042",
    severity="error",
    title="spells with a destination or leaving ground but no leaving date",
    reason=__doc__,
    do="Add the leaving_date, or remove the destination and ground.",
    places=("enrolments",),
    broken=broken,
)
