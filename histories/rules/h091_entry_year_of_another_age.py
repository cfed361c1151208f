"""A phase transfer is expected in the year of entry; a wrong year hides the child who did not arrive."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import births, school_year
from histories.rules.rule import Rule

AGES = {"primary": (3, 9), "secondary": (9, 14), "all-through": (3, 14)}  # middle schools, early and late entries


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the applications that do not fit the age on the 31 August before entry."""
    age = nw.col("entry_year") - school_year(nw.col("date_of_birth")) - 1
    wrong = [(nw.col("phase") == phase) & ((age < low) | (age > high)) for phase, (low, high) in AGES.items()]
    return (
        h.frame(table).join(births(h), on="pupil_id", how="inner").filter(nw.any_horizontal(*wrong, ignore_nulls=True))
    )


RULE = Rule(
    code="H091",
    severity="warning",
    title="applications for a year in which the child is too young or too old for the phase",
    reason=__doc__,
    do="Correct the entry year (that of the September) or the date of birth.",
    places=("admissions",),
    broken=broken,
    needs=("pupils",),
)
