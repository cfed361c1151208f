"""Without its day the child never left: who went missing stays on the roll, and the outcome that the model is to learn is lost."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule

TOLD = ("leaving_ground", "destination", "destination_urn")


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the spells that tell of a leaving without its day."""
    told = nw.any_horizontal(*(~nw.col(c).is_null() for c in TOLD), ignore_nulls=True)
    return h.frame(table).filter(nw.col("leaving_date").is_null() & told)


RULE = Rule(
    code="H042",
    severity="error",
    title="spells with a destination or a ground of leaving but no day of leaving",
    reason=__doc__,
    do="Add the leaving_date, or remove what tells of a leaving.",
    places=("enrolments",),
    broken=broken,
)
