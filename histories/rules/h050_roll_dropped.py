"""Such a drop means that a school closed, became an academy under a new number or failed to return; nobody went missing."""

from __future__ import annotations

import narwhals as nw

from histories.calendar import day_of
from histories.reading.histories import Histories
from histories.rules.days import corrected
from histories.rules.rule import Rule, listed

MIN = 10  # leavers
SUMMER = (6, 7, 8)


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the days on which a school's roll fell by a third, except at the end of a school year."""
    spells = corrected(h, table)
    left = spells.filter(~nw.col("leaving_date").is_null()).group_by("urn", "leaving_date").agg(nw.len().alias("left"))
    many = left.filter(nw.col("left") >= MIN).select("urn", "left", nw.col("leaving_date").alias("day"))
    on_roll = spells.join(many, on="urn", how="inner").filter(
        (nw.col("entry_date") <= nw.col("day"))
        & (nw.col("leaving_date").is_null() | (nw.col("leaving_date") >= nw.col("day")))
    )
    roll = (
        on_roll.group_by("urn", "day", "left").agg(nw.len().alias("roll")).filter(nw.col("left") * 3 > nw.col("roll"))
    )
    return listed(h, [d for d in roll.collect()["day"].to_list() if day_of(d).month not in SUMMER])


RULE = Rule(
    code="H050",
    severity="warning",
    title="schools that lost a third of their pupils on one day outside the summer",
    reason=__doc__,
    do="Add the pupils' entries at the successor school, or correct the return.",
    places=("enrolments",),
    broken=broken,
)
