"""Phase transfers are derived from the year group; a child in the wrong one is not checked when the transfer is due."""

from __future__ import annotations

import narwhals as nw
import pyarrow as pa

from histories.reading.histories import Histories
from histories.rules.days import births, school_year
from histories.rules.rule import Rule

YEARS = {"N1": -2, "N2": -1, "R": 0, **{str(n): n for n in range(1, 14)}}


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the spells whose year group does not fit the age; one year early or late is allowed.

    The year group may be that at entry or, in a census, that on the recording date.
    """
    numbers = pa.table({"nc_year": list(YEARS), "number": list(YEARS.values())})
    spells = h.frame(table).join(h.given(numbers), on="nc_year", how="inner")
    born, number = school_year(nw.col("date_of_birth")), nw.col("number")
    unfit = ((number - (school_year(nw.col(day)) - born - 5)).abs() > 1 for day in ("entry_date", "known"))
    return spells.join(births(h), on="pupil_id", how="inner").filter(nw.all_horizontal(*unfit, ignore_nulls=False))


RULE = Rule(
    code="H045",
    severity="warning",
    title="year groups two or more years off the child's age",
    reason=__doc__,
    do="Correct the year group or the date of birth.",
    places=("enrolments",),
    broken=broken,
    needs=("pupils",),
)
