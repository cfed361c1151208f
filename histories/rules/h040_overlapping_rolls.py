"""A child has one main school at a time; where spells overlap, a leaving was not recorded or an entry is too early."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import main_rolls
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the main-school spells that overlap the next."""
    after = nw.col("entry_date").shift(-1).over("pupil_id", order_by=["entry_date", "urn"])
    return main_rolls(h).with_columns(after.alias("next_entry")).filter(nw.col("until") > nw.col("next_entry"))


RULE = Rule(
    code="H040",
    severity="warning",
    title="spells at main schools that overlap",
    reason=__doc__,
    do="The newest entry counts; ask the schools which is right.",
    places=("enrolments",),
    broken=broken,
)
