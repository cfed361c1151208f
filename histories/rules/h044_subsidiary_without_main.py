"""A child with only a subsidiary registration is on no main roll and is never scored, although some school is responsible."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.reading.usable import NEVER
from histories.rules.days import corrected, main_rolls
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the subsidiary spells that overlap no main one."""
    until = nw.coalesce(nw.col("leaving_date"), nw.lit(NEVER)).alias("until")
    second = corrected(h, table).filter(nw.col("status") == "S").with_columns(until)
    main = main_rolls(h).select(
        "pupil_id", nw.col("entry_date").alias("main_from"), nw.col("until").alias("main_until")
    )
    both = second.join(main, on="pupil_id", how="inner").filter(
        (nw.col("main_from") <= nw.col("until")) & (nw.col("main_until") >= nw.col("entry_date"))
    )
    key = ["pupil_id", "urn", "entry_date"]
    return second.join(both.select(*key).unique(), on=key, how="anti")


RULE = Rule(
    code="H044",
    severity="warning",
    title="subsidiary registrations without a main one at the same time",
    reason=__doc__,
    do="Ask which school is the main one; it may be in another authority.",
    places=("enrolments",),
    broken=broken,
)
