"""What every child of a year group is in at once says nothing about one of them: a state becomes a reason when it has lasted."""

from datetime import date, timedelta

import polars as pl

from features import matrix
from features.catalogue import catalogue
from histories.reading.histories import Histories

MOST = 0.5  # of a year group of 20 children or more
STATES = [f.name for f in catalogue().features if f.role == "reason" and f.direction == 1 and f.unit == "yes or no"]


def test_no_state_that_raises_a_risk_holds_for_most_of_a_year_group(small_histories):
    days = [date(2024, 9, 9) + timedelta(weeks=2 * n) for n in range(22)]
    table = pl.DataFrame(matrix(Histories.open(small_histories), days))
    shares = table.group_by("as_of", "year_group").agg(pl.len().alias("children"), pl.col(STATES).mean())
    shares = shares.filter(pl.col("children") >= 20).unpivot(STATES, index=["as_of", "year_group", "children"])
    assert shares["variable"].n_unique() == len(STATES) > 3
    common = shares.filter(pl.col("value") > MOST).sort("value")
    assert common.rows() == []
