"""The school or the date of birth is wrong, so the child is compared with the wrong peers and the phase transfer is expected at the wrong age."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.reading.once import once
from histories.rules.days import births, school_year
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the entries outside the school's age range; summer entrants may be a year younger."""
    ages = once(h, "schools").select("urn", "low_age", "high_age")
    entries = h.frame(table).join(ages, on="urn", how="inner").join(births(h), on="pupil_id", how="inner")
    in_august = school_year(nw.col("entry_date")) - school_year(nw.col("date_of_birth")) - 1
    return entries.filter((in_august < nw.col("low_age") - 1) | (in_august > nw.col("high_age")))


RULE = Rule(
    code="H046",
    severity="warning",
    title="pupils who entered a school that does not teach their age",
    reason=__doc__,
    do="Check the school's age range and the date of birth.",
    places=("enrolments",),
    broken=broken,
    needs=("pupils", "schools"),
)
