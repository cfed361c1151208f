"""A code that does not exist is never counted, so the pupil's features silently miss it."""

from __future__ import annotations

import narwhals as nw

from histories.codes import code_set
from histories.reading.histories import Histories
from histories.rules.rule import Rule
from histories.tables import TABLES

CODED = {f"{t.table}.{c.name}": c.codes for t in TABLES.values() for c in t.columns.values() if c.codes}


def broken(h: Histories, place: str) -> nw.LazyFrame:
    """Return the rows with an unknown code."""
    table, column = place.split(".")
    return h.frame(table).filter(~nw.col(column).is_null() & ~nw.col(column).is_in(list(code_set(CODED[place]))))


RULE = Rule(
    code="H001",
    severity="error",
    title="codes that do not exist",
    reason=__doc__,
    do="Correct the codes or map them; docs/histories.md lists the codes of each column.",
    places=tuple(CODED),
    broken=broken,
)
