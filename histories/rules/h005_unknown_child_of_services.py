"""Services know children who are on no roll here, but many such rows mean that linking failed and part of the pupils' history is missing."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule

SERVICES = ("social_care", "cme", "interventions")


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the rows whose child is not in pupils."""
    return h.frame(table).join(h.frame("pupils").select("pupil_id").unique(), on="pupil_id", how="anti")


RULE = Rule(
    code="H005",
    severity="warning",
    title="rows whose child is not in the table pupils",
    reason=__doc__,
    do="Link them ('onroll link'); the rest belong to children on no roll here.",
    places=SERVICES,
    broken=broken,
    needs=("pupils",),
)
