"""A permanent exclusion ends the registration once reviews are exhausted: it was withdrawn, or the leaving was not recorded."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import newest_day
from histories.reading.histories import Histories
from histories.rules.days import corrected, main_rolls
from histories.rules.rule import Rule

DAYS = 100  # long enough for the governors and an independent panel to review it


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the permanent exclusions after which the child stayed on roll."""
    out = corrected(h, table).filter((nw.col("category") == "PERM") & (nw.col("start_date") + DAYS < newest_day(h)))
    rolls = main_rolls(h).select("pupil_id", "urn", "entry_date", "until")
    stayed = out.join(rolls, on=["pupil_id", "urn"], how="inner").filter(
        (nw.col("entry_date") <= nw.col("start_date")) & (nw.col("until") > nw.col("start_date") + DAYS)
    )
    return stayed.select("pupil_id", "start_date").unique()


RULE = Rule(
    code="H047",
    severity="warning",
    title="permanent exclusions of pupils still on that roll a hundred days later",
    reason=__doc__,
    do="Ask the school whether it was withdrawn or a leaving is missing.",
    places=("suspensions",),
    broken=broken,
    needs=("enrolments",),
)
