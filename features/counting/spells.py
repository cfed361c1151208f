"""Spells that only go on: a new row of the same home, a return to a school soon after its roll was left, a roll beside the main one.

None of them is a move; features, groups, evidence and histories ask here.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import narwhals as nw

from histories.calendar import day_number
from histories.reading.as_of import where_repeated
from histories.reading.histories import Histories

SOON = 60  # days after which a child who comes back to a school has joined it again
SUBSIDIARY = "S"  # status of a roll beside the main one
NEVER = -1_000_000  # a day number before all others
SPELL_BEFORE = {
    "entry_date": "entry_before",
    "leaving_date": "left_before",
}  # of the child's spell before at the school


def in_year() -> nw.Expr:
    """Return whether a spell is an in-year move: it starts more than 25 days after 1 September and before August."""
    day = (nw.col("entry_date") - nw.lit(day_number(date(2000, 9, 1)))) * 100
    of_year = day - (day // 36525) * 36525  # hundredths of a day since 1 September, in years of 365.25 days
    return (of_year > 2500) & (of_year < 33350)


def with_joinings(histories: Histories, rolls: nw.LazyFrame) -> nw.LazyFrame:
    """Add ``in_year_entry`` and ``first_here``.

    ``in_year_entry`` is 1 for a spell that joins a school in the middle of a year, 0 in autumn or summer, null if it joins none.
    ``first_here`` is 1 for the first spell at a school, 0 for a return to it. A subsidiary roll joins no school, nor does a spell at a school whose roll the child is still on or left at most ``SOON`` days before.

    Parameters
    ----------
    histories : Histories
        From which the rows come.
    rolls : LazyFrame
        Rows of ``enrolments`` that have come; see ``histories.reading.as_of.come``.
    """
    rolls = rolls.with_columns(nw.lit(None, nw.Int32).alias(before) for before in SPELL_BEFORE.values())
    rolls = where_repeated(histories, "enrolments", ("urn",), rolls, _with_spell_before)
    is_back = nw.col("left_before").is_null() | (nw.col("entry_date") - nw.col("left_before") <= SOON)
    goes_on = ~nw.col("entry_before").is_null() & is_back
    joins = ~(goes_on | (nw.col("status") == SUBSIDIARY).fill_null(False))
    joined = nw.when(in_year()).then(nw.lit(1)).otherwise(nw.lit(0))
    first = nw.col("entry_before").is_null().cast(nw.Int32).alias("first_here")
    rolls = rolls.with_columns(nw.when(joins).then(joined).alias("in_year_entry"), first)
    return rolls.drop(*SPELL_BEFORE.values())


def _with_spell_before(rolls: nw.LazyFrame) -> nw.LazyFrame:
    at_school = {"partition_by": ["pupil_id", "as_of", "urn"], "order_by": ["entry_date"]}
    return rolls.with_columns(_row_before(c, **at_school).alias(before) for c, before in SPELL_BEFORE.items())


def homes(histories: Histories, addresses: nw.LazyFrame) -> nw.LazyFrame:
    """Return one row of each stay at a home: from the start of its first row, and in all else as its last row says.

    Rows with the same ``household_id``, one after another, are one stay. An unknown home is no other row's. The area is the last known one.

    Parameters
    ----------
    histories : Histories
        From which the rows come.
    addresses : LazyFrame
        Rows of ``addresses`` that have come; see ``histories.reading.as_of.come``.
    """
    return where_repeated(histories, "addresses", ("household_id",), addresses, _stays)


def _stays(addresses: nw.LazyFrame) -> nw.LazyFrame:
    of_child = {"partition_by": ["pupil_id", "as_of"], "order_by": ["start_date"]}
    same = nw.col("household_id") == _row_before("household_id", **of_child)
    rows = addresses.with_columns(same.fill_null(False).alias("goes_on"))
    start = nw.when(nw.col("goes_on")).then(nw.lit(NEVER)).otherwise(nw.col("start_date"))
    rows = rows.with_columns(start.cast(nw.Int32).alias("start_date"), nw.col("start_date").alias("row_start"))
    begun = nw.col("start_date").cum_max().over(*of_child["partition_by"], order_by="row_start")
    rows = rows.with_columns(begun.alias("start_date"))
    stay = ["pupil_id", "as_of", "start_date"]
    last: dict[str, Any] = {"subset": stay, "keep": "last", "order_by": ["row_start"]}
    areas = rows.filter(~nw.col("lsoa").is_null()).unique(**last).select(*stay, "lsoa")
    stays = rows.unique(**last).drop("lsoa", "goes_on", "row_start").join(areas, on=stay, how="left")
    return stays.with_columns((nw.col("as_of") - nw.col("start_date")).alias("age"))


def _row_before(column: str, partition_by: list[str], order_by: list[str]) -> nw.Expr:
    return nw.col(column).shift(1).over(*partition_by, order_by=order_by)
