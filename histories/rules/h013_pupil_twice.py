"""A child may be in the table twice, once from a return without UPNs; each half of the history then looks harmless."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the pupils without a UPN who may be duplicates."""
    homes = h.frame("addresses").filter(~nw.col("household_id").is_null()).select("pupil_id", "household_id").unique()
    living = h.frame(table).join(homes, on="pupil_id", how="inner")
    named = living.filter(~nw.col("upn").is_null()).select("date_of_birth", "household_id").unique()
    nameless = living.filter(nw.col("upn").is_null())
    return nameless.join(named, on=["date_of_birth", "household_id"], how="semi").select("pupil_id").unique()


RULE = Rule(
    code="H013",
    severity="warning",
    title="pupils without a UPN who share birthday and home with a pupil who has one",
    reason=__doc__,
    do="Are they one child or twins? Merge duplicates ('onroll link').",
    places=("pupils",),
    broken=broken,
    needs=("addresses",),
)
