"""A term has two sessions a weekday; more were counted twice, or belong to two children."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import corrected
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the pupils and terms with more sessions than the term can hold."""
    terms = corrected(h, table).group_by("pupil_id", "term_start")
    held = terms.agg(nw.col("sessions").sum().alias("sessions"), nw.col("term_end").max().alias("term_end"))
    weeks = (nw.col("term_end") - nw.col("term_start")) // 7 + 1
    return held.filter(nw.col("sessions") > weeks * 10)


RULE = Rule(
    code="H070",
    severity="warning",
    title="terms in which a pupil has more sessions than the term can hold",
    reason=__doc__,
    do="Was a return imported twice under different dates, or a year's count entered for a term?",
    places=("termly_attendance",),
    broken=broken,
)
