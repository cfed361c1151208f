"""A child has one home, one plan and one case at a time. Of two open ones, the older was never closed and still counts."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import corrected
from histories.rules.rule import Rule
from histories.tables import TABLES

ALONE = {
    "sen": ("pupil_id",),
    "fsm": ("pupil_id",),
    "addresses": ("pupil_id",),
    "social_care": ("pupil_id", "kind"),
    "cme": ("pupil_id",),
}


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the pupils with more than one open spell."""
    running = corrected(h, table).filter(nw.col(str(TABLES[table].end)).is_null())
    return running.group_by(*ALONE[table]).agg(nw.len().alias("times")).filter(nw.col("times") > 1)


RULE = Rule(
    code="H025",
    severity="warning",
    title="pupils with two open spells where there can be only one",
    reason=__doc__,
    do="Close the spell that has ended.",
    places=tuple(ALONE),
    broken=broken,
)
