"""The law allows at most 45 school days a year: sessions were counted twice, or a school breaks the law."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import corrected, school_year
from histories.rules.rule import Rule

MAX = 90  # sessions, two a day: Education Act 2002, section 51A, and the regulations under it


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the pupils and school years with too many suspended sessions."""
    year = school_year(nw.col("start_date")).alias("year")
    ended = corrected(h, table).filter(nw.col("category") != "PERM").with_columns(year)
    total = ended.group_by("pupil_id", "year").agg(nw.col("sessions").sum())
    return total.filter(nw.col("sessions") > MAX)


RULE = Rule(
    code="H080",
    severity="warning",
    title="pupils suspended for more than 45 days in a school year",
    reason=__doc__,
    do="Compare with the school's own list; days and sessions may be mixed up.",
    places=("suspensions",),
    broken=broken,
)
