"""Definitions based on destinations find no outcomes in such a year, as if nobody had gone missing."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.days import YEAR, births, corrected, school_year
from histories.rules.rule import Rule

MIN = 20  # leavers of a year below which its share says little


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return each pupil's last leaving without a destination, in years in which most have none."""
    newest = h.frame(table).group_by("pupil_id").agg(nw.col("entry_date").max().alias("newest_entry"))
    left = corrected(h, table).filter(~nw.col("leaving_date").is_null()).join(newest, on="pupil_id", how="inner")
    left = left.filter(nw.col("entry_date") == nw.col("newest_entry")).join(births(h), on="pupil_id", how="inner")
    left = left.filter(nw.col("leaving_date") - nw.col("date_of_birth") < 16 * YEAR)
    left = left.with_columns(
        school_year(nw.col("leaving_date")).alias("year"), nw.col("destination").is_null().cast(nw.Int64).alias("none")
    )
    years = left.group_by("year").agg(nw.len().cast(nw.Int64).alias("leavers"), nw.col("none").sum().alias("without"))
    poor = years.filter((nw.col("leavers") >= MIN) & (nw.col("without") * 2 > nw.col("leavers"))).select("year")
    return left.filter(nw.col("none") == 1).join(poor, on="year", how="semi")


RULE = Rule(
    code="H043",
    severity="warning",
    title="leavers of school age without a destination, in years in which most have none",
    reason=__doc__,
    do="Import the deletion returns or the CME cases, or use a definition without destinations.",
    places=("enrolments",),
    broken=broken,
    needs=("pupils",),
)
