"""A pupil who was never on a roll is never scored; many of them mean that a school's return is missing."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the pupils without an enrolment."""
    return h.frame(table).join(h.frame("enrolments").select("pupil_id").unique(), on="pupil_id", how="anti")


RULE = Rule(
    code="H016",
    severity="warning",
    title="pupils who were never on a roll",
    reason=__doc__,
    do="Is a return missing, or are they known to services only?",
    places=("pupils",),
    broken=broken,
    needs=("enrolments",),
)
