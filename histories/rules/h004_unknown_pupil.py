"""A row without a pupil is never counted; part of a child's history may sit under a key that was written differently."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.h005_unknown_child_of_services import SERVICES
from histories.rules.h009_marks_after_rolls import MARKS, joined_since
from histories.rules.rule import Rule
from histories.tables import TABLES


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the rows whose pupil is not in pupils; H009 lists those of children who joined since the last roll."""
    unknown = h.frame(table).join(h.frame("pupils").select("pupil_id").unique(), on="pupil_id", how="anti")
    if table in MARKS and "enrolments" in h.present:
        unknown = unknown.join(joined_since(h, table), on="pupil_id", how="anti")
    return unknown


RULE = Rule(
    code="H004",
    severity="error",
    title="rows whose pupil is not in the table pupils",
    reason=__doc__,
    do="Add the pupils, or correct the keys.",
    places=tuple(t.table for t in TABLES.values() if "pupil_id" in t.columns and t.table not in ("pupils", *SERVICES)),
    broken=broken,
    needs=("pupils",),
)
