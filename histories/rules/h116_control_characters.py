"""A control character, such as a line break or a vertical tab, splits a name or key in two and cannot be written to a workbook."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule
from histories.tables import TABLES

CONTROL = r"[\x00-\x1f\x7f]"
# Codes have a rule of their own (H001), and so has the pupil_id of other tables (H004).
TEXTS = {
    t.table: [
        c.name
        for c in t.columns.values()
        if c.kind == "text" and not c.codes and (c.name != "pupil_id" or t.table == "pupils")
    ]
    for t in TABLES.values()
}
FREE = {table: columns for table, columns in TEXTS.items() if columns}


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the rows with a control character in a text."""
    odd = (nw.col(c).str.contains(CONTROL) for c in FREE[table])
    return h.frame(table).filter(nw.any_horizontal(*odd, ignore_nulls=True))


RULE = Rule(
    code="H116",
    severity="warning",
    title="texts with control characters",
    reason=__doc__,
    do="Remove them in the source system, and import the return again.",
    places=tuple(FREE),
    broken=broken,
)
