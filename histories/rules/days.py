"""What rules ask of days: when a row's thing happened, which version of it is the last, and years of day numbers."""

from __future__ import annotations

import narwhals as nw

from histories.opening import Histories
from histories.tables import TABLES

# The first date of the natural key says when a thing began.
START = {
    t.table: next(c for c in t.key if t.columns[c].kind == "date")
    for t in TABLES.values()
    if any(t.columns[c].kind == "date" for c in t.key)
}
# A count of a term is whole when the term is over.
HAPPENED = {**START, "termly_attendance": "term_end"}
YEAR = 365.25
SEPTEMBER_1, JANUARY_1 = 184, 306  # days after 1 March


def corrected(h: Histories, table: str) -> nw.LazyFrame:
    """Return a table without the rows that a later recording of the same thing has put right."""
    declared = TABLES[table]
    order = ["known", *([declared.end] if declared.end else [])]
    return h.frame(table).unique(subset=list(declared.key), keep="last", order_by=order)


def school_year(day: nw.Expr) -> nw.Expr:
    """Return the year in which the school year of a day number began (1 September)."""
    year, of_year = _since_march(day)
    return nw.when(of_year >= SEPTEMBER_1).then(year).otherwise(year - 1)


def is_first_january(day: nw.Expr) -> nw.Expr:
    """Tell of a day number whether it is a 1 January."""
    return _since_march(day)[1] == JANUARY_1


def _since_march(day: nw.Expr) -> tuple[nw.Expr, nw.Expr]:
    """Split a day number into a year that begins on 1 March and the days since then, so that a leap day comes last.

    The method is Howard Hinnant's ``civil_from_days`` (https://howardhinnant.github.io/date_algorithms.html).
    """
    since = day + 719_468  # days from 1 March of the year 0 to 1970-01-01
    era = since // 146_097  # 400 years
    of_era = since - era * 146_097
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    return year + era * 400, of_era - (365 * year + year // 4 - year // 100)
