"""Their attendance is unknown, not good; a child hidden from the registers is the first to check."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import marks_by_day, marks_of_pupils
from histories.reading.histories import Histories
from histories.rules.days import main_rolls
from histories.rules.rule import Rule

DAYS = 60


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the pupils on a main roll in a period with marks who have none."""
    days = marks_by_day(h).keys()
    if not days:
        return h.frame(table).head(0)
    entry = nw.max_horizontal(nw.col("entry_date"), nw.lit(min(days)))
    until = nw.min_horizontal(nw.col("until"), nw.lit(max(days)))
    on_roll = main_rolls(h).filter(until - entry >= DAYS).select("pupil_id").unique()
    return on_roll.join(marks_of_pupils(h), on="pupil_id", how="anti")


RULE = Rule(
    code="H068",
    severity="warning",
    title="pupils on roll for two months without a single mark",
    reason=__doc__,
    do="Does the school send marks, and under the same keys?",
    places=("attendance",),
    broken=broken,
    needs=("enrolments",),
)
