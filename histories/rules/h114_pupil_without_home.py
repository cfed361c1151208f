"""Without an address a child has no moves, area or siblings in any feature; often the address after a move is missing."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import newest_day
from histories.reading.histories import Histories
from histories.reading.usable import NEVER
from histories.rules.days import corrected, main_rolls
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the pupils on a main roll today without a current address."""
    now = newest_day(h)
    on_roll = main_rolls(h).filter((nw.col("entry_date") <= now) & (nw.col("until") >= now)).select("pupil_id").unique()
    homes = (
        corrected(h, table).filter(nw.coalesce(nw.col("end_date"), nw.lit(NEVER)) >= now).select("pupil_id").unique()
    )
    return on_roll.join(homes, on="pupil_id", how="anti")


RULE = Rule(
    code="H114",
    severity="warning",
    title="pupils on a roll without an address",
    reason=__doc__,
    do="Ask the schools for the addresses.",
    places=("addresses",),
    broken=broken,
    needs=("enrolments",),
)
