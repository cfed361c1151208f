"""Without an address a child has no moves, no area and no siblings in any feature; often it is the address after a move that is missing."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import newest_day
from histories.reading.histories import NEVER, Histories
from histories.rules.days import corrected, main_rolls
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the pupils on a main roll today whom no open spell at an address covers."""
    now = newest_day(h)
    here = main_rolls(h).filter((nw.col("entry_date") <= now) & (nw.col("until") >= now)).select("pupil_id").unique()
    homes = (
        corrected(h, table).filter(nw.coalesce(nw.col("end_date"), nw.lit(NEVER)) >= now).select("pupil_id").unique()
    )
    return here.join(homes, on="pupil_id", how="anti")


RULE = Rule(
    code="H114",
    severity="warning",
    title="pupils on a roll without a home",
    reason=__doc__,
    do="Ask the schools for the addresses.",
    places=("addresses",),
    broken=broken,
    needs=("enrolments",),
)
