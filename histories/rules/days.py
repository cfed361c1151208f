"""What rules ask of days: when a row's thing happened, which version of it is the last, and years of day numbers."""

from __future__ import annotations

from datetime import date

import narwhals as nw

from histories.calendar import day_number
from histories.reading.histories import NEVER, Histories
from histories.tables import TABLES

# The first date of the natural key says when a thing began.
START = {
    t.table: next(c for c in t.key if t.columns[c].kind == "date")
    for t in TABLES.values()
    if any(t.columns[c].kind == "date" for c in t.key)
}
YEAR = 365.25
# Between the centuries without a leap day, year k after these days begins 365 k + k // 4 days later.
SEPTEMBER_1900, JANUARY_1901 = day_number(date(1900, 9, 1)), day_number(date(1901, 1, 1))
FOUR_YEARS = 1461


def today() -> int:
    """Return the number of today."""
    return day_number(date.today())


def corrected(h: Histories, table: str) -> nw.LazyFrame:
    """Return a table without the rows that a later recording of the same thing has put right."""
    declared = TABLES[table]
    order = ["known", *([declared.end] if declared.end else [])]
    return h.frame(table).unique(subset=list(declared.key), keep="last", order_by=order)


def main_rolls(h: Histories) -> nw.LazyFrame:
    """Return the spells at main schools, as last corrected, with ``until``: the last day, or a day after every other."""
    own = corrected(h, "enrolments").filter(nw.col("status").is_null() | nw.col("status").is_in(["C", "M"]))
    return own.with_columns(nw.coalesce(nw.col("leaving_date"), nw.lit(NEVER)).alias("until"))


def births(h: Histories) -> nw.LazyFrame:
    """Return ``pupil_id`` and ``date_of_birth``, one row a pupil."""
    return h.frame("pupils").select("pupil_id", "date_of_birth").unique("pupil_id", keep="any")


def school_year(day: nw.Expr) -> nw.Expr:
    """Return the year in which the school year of a day number began (1 September), for the days from 1900 to 2100."""
    return (4 * (day - SEPTEMBER_1900) + 3) // FOUR_YEARS + 1900


def is_first_january(day: nw.Expr) -> nw.Expr:
    """Tell of a day number whether it is a 1 January, for the days from 1901 to 2100."""
    return (4 * (day - JANUARY_1901) + 3) % FOUR_YEARS < 4
