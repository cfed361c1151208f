"""A school without a row has no phase, so a phase transfer looks like an in-year move."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, place: str) -> nw.LazyFrame:
    """Return the rows whose school is not in schools."""
    table, column = place.split(".")
    schools = h.frame("schools").select(nw.col("urn").alias(column)).unique()
    return h.frame(table).filter(~nw.col(column).is_null()).join(schools, on=column, how="anti")


RULE = Rule(
    code="H006",
    severity="warning",
    title="schools that are not in the table schools",
    reason=__doc__,
    do="Add the schools; 'onroll import schools' reads the national list.",
    places=("enrolments.urn", "suspensions.urn"),
    broken=broken,
    needs=("schools",),
)
