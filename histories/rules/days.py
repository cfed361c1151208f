"""Dates as rules need them: when a row happened, its last version, and years of day numbers."""

from __future__ import annotations

from datetime import date

import narwhals as nw

from histories.calendar import day_number, london_today
from histories.reading.histories import Histories
from histories.reading.once import once
from histories.reading.usable import NEVER
from histories.tables import TABLES

START = {t.table: t.start for t in TABLES.values() if t.start}
YEAR = 365.25
# Between the centuries without a leap day, year k after these days begins 365 k + k // 4 days later.
SEPTEMBER_1900, JANUARY_1901 = day_number(date(1900, 9, 1)), day_number(date(1901, 1, 1))
FOUR_YEARS = 1461


def today() -> int:
    """Return the day number of today."""
    return day_number(london_today())


def corrected(h: Histories, table: str) -> nw.LazyFrame:
    """Return a table with only the last recorded version of each row."""
    declared = TABLES[table]
    order = ["known", *([declared.end] if declared.end else [])]
    return h.frame(table).unique(subset=list(declared.key), keep="last", order_by=order)


def main_rolls(h: Histories) -> nw.LazyFrame:
    """Return the corrected main-school spells with ``until``: the last day, or ``NEVER`` for an open spell."""
    main = corrected(h, "enrolments").filter(nw.col("status").is_null() | nw.col("status").is_in(["C", "M"]))
    return main.with_columns(nw.coalesce(nw.col("leaving_date"), nw.lit(NEVER)).alias("until"))


def births(h: Histories) -> nw.LazyFrame:
    """Return ``pupil_id`` and ``date_of_birth``, one row per pupil."""
    return once(h, "pupils").select("pupil_id", "date_of_birth")


def school_year(day: nw.Expr) -> nw.Expr:
    """Return the year in which the school year of a day number began (1 September); valid from 1900 to 2100."""
    return (4 * (day - SEPTEMBER_1900) + 3) // FOUR_YEARS + 1900


def is_first_january(day: nw.Expr) -> nw.Expr:
    """Return whether a day number is a 1 January; valid from 1901 to 2100."""
    return (4 * (day - JANUARY_1901) + 3) % FOUR_YEARS < 4
