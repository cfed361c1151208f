"""Which values count as missing: codes that do not exist, numbers out of range and implausible dates; and from when a row is known.

The same for files on every engine and for the rows of a request. A row that lacks a value which its table requires is left out; reference data
(schools, areas) keep the row, since its other columns hold.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import narwhals as nw

from histories.calendar import day_number
from histories.codes import code_set
from histories.io.sql import literal
from histories.reading.values import FIRST_DAY, last_day
from histories.tables import TABLES, Column, Table

ALWAYS = -1_000_000  # before every as-of date: reference data are always known
NEVER = 1_000_000
NO_CODE = "the code does not exist"
NO_DAY = "the date is before 1900 or after the end of next year"
TOO_EARLY = "the date of recording is before 1900"
NOT_YET = "the date of recording is after the end of next year: until then what it records is not known"
ENDS_EARLY = "the end is before the start"
OUT_OF_RANGE = "the number is out of range"


def leaves_out(table: type[Table], c: Column) -> bool:
    """Return whether a row without a usable value in a column is left out."""
    return c.required and not table.always_known


def told(table: type[Table], c: Column, what: str) -> str:
    """Return what is said of values that count as missing, with what becomes of them.

    Examples
    --------
    >>> from histories.tables import TABLES
    >>> told(TABLES["enrolments"], TABLES["enrolments"].columns["destination"], NO_CODE)
    'the code does not exist, and is ignored'
    >>> told(TABLES["sen"], TABLES["sen"].columns["provision"], NO_CODE)
    'the code does not exist, so the row is ignored'
    """
    return f"{what}, so the row is ignored" if leaves_out(table, c) else f"{what}, and is ignored"


def missing_tests(table: type[Table], values: Mapping[str, str], engine: str) -> list[tuple[str, str, str]]:
    """Return the conditions under which a value counts as missing, or is not known yet: the column, the warning and the SQL.

    Parameters
    ----------
    values : mapping
        SQL for the value of each column, dates as DATE.
    engine : {"duckdb", "spark"}
    """
    tests = []
    for name, value in values.items():
        c = table.columns[name]
        early, late = f"{value} < DATE '{FIRST_DAY}'", f"{value} > DATE '{last_day()}'"
        if name in table.recordings:
            tests += [(name, told(table, c, TOO_EARLY), early), (name, NOT_YET, late)]
        elif c.kind == "date":
            tests.append((name, told(table, c, NO_DAY), f"({early} OR {late})"))
        if c.codes:
            listed = ", ".join(literal(code, engine) for code in sorted(code_set(c.codes)))
            tests.append((name, told(table, c, NO_CODE), f"({value} IS NOT NULL AND {value} NOT IN ({listed}))"))
        if c.limits:
            low, high = c.limits
            tests.append((name, told(table, c, OUT_OF_RANGE), f"{value} NOT BETWEEN {low} AND {high}"))
    return tests


def odd_values(table: type[Table], c: Column, values: Iterable[Any]) -> set[Any]:
    """Return the values of a column of dates or numbers that do not count; null is none, and counts as it stands.

    A date of recording after the end of next year counts: its row becomes known then.
    """
    low, high = (_FIRST, day_number(last_day())) if c.kind == "date" else c.limits or (-math.inf, math.inf)
    if c.name in table.recordings:
        high = math.inf
    return {v for v in {*values} if v is not None and not low <= v <= high}


def with_usable_values(frame: nw.LazyFrame, table: type[Table], odd: Iterable[str]) -> nw.LazyFrame:
    """Replace values that do not count by null; leave out rows that then lack a required value.

    Parameters
    ----------
    odd : iterable of str
        The columns that have such values.
    """
    for name in odd:
        c, value = table.columns[name], nw.col(name)
        if c.kind == "date":
            counts = value >= _FIRST
            counts = counts if name in table.recordings else counts & (value <= day_number(last_day()))
        elif c.codes:
            counts = value.is_in(list(code_set(c.codes)))
        else:
            low, high = c.limits or (None, None)
            counts = value.is_between(low, high)
        if leaves_out(table, c):
            frame = frame.filter(counts)
        else:
            frame = frame.with_columns(nw.when(counts).then(value).alias(name))
    return frame


def canonical(frame: nw.LazyFrame, table: type[Table]) -> nw.LazyFrame:
    """Add ``known`` and ``end_known`` to a table, as its declaration defines them."""
    known, end_known = _recorded(table.table)
    frame = frame.with_columns(known)
    return frame if end_known is None else frame.with_columns(end_known)


@cache
def _recorded(name: str) -> tuple[nw.Expr, nw.Expr | None]:
    """Return the days on which a row and its end were recorded; the second reads the first."""
    table = TABLES[name]
    if table.always_known:
        return nw.lit(ALWAYS).cast(nw.Int32).alias("known"), None
    first, *fallbacks = table.known_from
    delayed = [nw.col(c) + table.known_delay for c in fallbacks]
    known = nw.coalesce(nw.col(first), *delayed, nw.lit(NEVER)).cast(nw.Int32).alias("known")
    if table.end is None:
        return known, None
    ended = nw.max_horizontal("known", nw.coalesce(*(nw.col(c) for c in table.end_known_from)))
    return known, nw.when(~nw.col(table.end).is_null()).then(ended).cast(nw.Int32).alias("end_known")


def no_rows(table: type[Table]) -> Any:
    """Return an empty Arrow table with the columns of a table."""
    import pyarrow as pa

    kinds = {"text": pa.string(), "date": pa.int32(), "integer": pa.int64(), "boolean": pa.bool_()}
    return pa.table({c.name: pa.array([], kinds[c.kind]) for c in table.columns.values()})


_FIRST = day_number(FIRST_DAY)
