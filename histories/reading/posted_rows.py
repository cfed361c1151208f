"""Read the rows of a request; faults name positions, never values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache, lru_cache, partial
from itertools import islice
from typing import Any

from histories.calendar import day_number
from histories.errors import Fault, Faults
from histories.io.delimited import heading
from histories.io.quantities import quantity
from histories.io.told_names import MAX_NAMED, undeclared, undeclared_table
from histories.reading.plain_frame import PlainFrame
from histories.reading.posted_columns import MANY_ROWS, CodedColumn, CodedRows, PostedColumn, listed, turned
from histories.reading.posted_values import place, suspect_rows, unmatched, usable_rows
from histories.reading.typed_columns import TWICE, WANTED
from histories.reading.usable import NO_CODE, told
from histories.reading.values import DAY, code_of, day_in, flag_of, text_of
from histories.tables import TABLES, Column, Table

NUMBER = re.compile(r"[+-]?[0-9]+")
COLUMN = (list, CodedColumn)
ROWS = (list, CodedRows)
LENGTH_OF_DAY = len("2024-09-04")
AUDITED = ("sex", "ethnicity")  # code sets that no feature reads


def read_rows(
    tables: dict[str, Any],
    *,
    as_written: bool = False,
) -> tuple[dict[str, PlainFrame], dict[str, Callable[[], Any]], list[str]]:
    """Convert the rows of each table into a frame.

    Parameters
    ----------
    tables : dict
        By table a list of rows (objects), or columns: an object of lists of equal length.
    as_written : bool
        Keep unknown codes and implausible dates, so that checks can report them.

    Returns
    -------
    dict, dict, list of str
        The frames, with dates as day numbers and marks as ``CodedColumn`` where they can be; functions that return each as a lazy Polars frame; warnings.

    Raises
    ------
    Faults
        With the position of every fault.
    """
    warnings: list[str] = []
    faults: list[Fault] = []
    if not isinstance(tables, dict):
        raise Faults(Fault("this is not an object of tables", "histories", "Send tables by name, each a list of rows."))
    sent_names = {heading(str(name)) for name in tables}
    for name, table in TABLES.items():
        if table.required and name not in sent_names:
            faults.append(Fault("a required table is missing", f"tables.{name}", "Send its rows."))
    frames: dict[str, PlainFrame] = {}
    for position, (given, table_sent) in enumerate(tables.items(), start=1):
        name = heading(str(given))
        if name not in TABLES:
            warnings.append(undeclared_table(given, position))
        elif name in frames:
            faults.append(Fault("the table is sent twice", f"tables.{name}", "Send it once."))
        elif wrong := _misshapen(table_sent, f"tables.{name}"):
            faults += wrong
        else:
            columns = _columns(TABLES[name], table_sent, faults, warnings, as_written=as_written)
            frames[name] = PlainFrame(columns, rows_in(table_sent))
    if faults:
        raise Faults(faults)
    if not as_written:
        frames = {name: usable_rows(TABLES[name], frame, warnings) for name, frame in frames.items()}
    warnings += unmatched(frames)
    return frames, {n: _in_polars(TABLES[n], f) for n, f in frames.items()}, warnings


def rows_in(table: Any) -> int:
    """Count the rows of a posted table: a list of rows, or an object of columns.

    Examples
    --------
    >>> rows_in([{"urn": "1"}, {"urn": "2"}]), rows_in({"urn": ["1", "2"]}), rows_in(None)
    (2, 2, 0)
    """
    if isinstance(table, dict):
        return max((len(values) for values in table.values() if isinstance(values, COLUMN)), default=0)
    return len(table) if isinstance(table, ROWS) else 0


def _misshapen(table: Any, place: str) -> list[Fault]:
    """Return the faults of the shape of a posted table."""
    if isinstance(table, dict):
        do = "Send a list of values for each column, all of one length."
        return [
            Fault("this is not a column as long as the others", f"{place}, column {position}", do)
            for position, values in enumerate(table.values(), 1)
            if not isinstance(values, COLUMN) or len(values) != rows_in(table)
        ]
    if isinstance(table, CodedRows):
        return []
    if not isinstance(table, list):
        return [Fault("this is not a list of rows", place, "Send a list of objects, or an object of columns.")]
    bad = [i for i, row in enumerate(table) if not isinstance(row, dict)] if set(map(type, table)) - {dict} else []
    return [Fault("this is not an object", f"{place}[{i}]", "Send columns by name.") for i in bad]


def in_lists(frame: PlainFrame) -> PlainFrame:
    """Return a frame of ``read_rows`` with every column as a plain list."""
    return PlainFrame(listed(frame.data), len(frame))


def _in_polars(table: type[Table], frame: PlainFrame) -> Callable[[], Any]:
    @cache
    def polars_frame() -> Any:
        import polars as pl

        kinds = {"text": pl.String, "date": pl.Int32, "integer": pl.Int64, "boolean": pl.Boolean}
        return pl.DataFrame(listed(frame.data), schema={c.name: kinds[c.kind] for c in table.columns.values()}).lazy()

    return polars_frame


def _columns(
    table: type[Table], sent: Any, faults: list[Fault], warnings: list[str], *, as_written: bool
) -> dict[str, Any]:
    is_dict = isinstance(sent, dict)
    given = sent if is_dict else turned(sent)
    by_column: dict[str, str] = {}
    for name in sorted(given, key=str):
        column = heading(str(name))
        if column not in table.columns:
            continue
        if column in by_column:
            faults.append(Fault(TWICE, f"tables.{table.table}.{column}", "Send one of them."))
        by_column[column] = name
    if unknown := len(given) - len(by_column):
        known = set(by_column.values())
        others = ((position, name) for position, name in enumerate(given, 1) if name not in known)
        warnings.append(undeclared(table.table, islice(others, MAX_NAMED), unknown))
    columns: dict[str, Any] = {}
    if is_dict:
        faults += [
            Fault("a required column is missing", f"tables.{table.table}.{c.name}", "Send it.")
            for c in table.columns.values()
            if c.required and c.name not in by_column
        ]
    for c in table.columns.values():
        values: PostedColumn = given[by_column[c.name]] if c.name in by_column else [None] * rows_in(sent)
        lenient = as_written or c.codes in AUDITED
        checked = replace(c, codes=None) if lenient else c
        if c.codes and lenient:
            values = _known_codes(c, [*values], table, warnings, keep=as_written)
        if table.table in MANY_ROWS and not as_written and isinstance(values, list):
            values = CodedColumn.of(values) or values
        columns[c.name] = _column(checked, values, table.table, faults)
    if not faults:
        warnings += suspect_rows(table, columns)
    return columns


def _column(c: Column, values: PostedColumn, table: str, faults: list[Fault]) -> PostedColumn:
    """Check the values of a column, each distinct one once: marks have few distinct days and codes."""
    read: list[Any] = []
    try:
        if isinstance(values, CodedColumn):
            return values.map(partial(_value, c))
        kinds = set(map(type, values)) - {type(None)}
        if len(kinds) < 2 and kinds <= {str, date, int, bool}:  # of one kind, since 1 and true are equal
            converted = {v: _value(c, v) for v in set(values)}
            return [converted[v] for v in values]
        return [_value(c, v) for v in values]
    except ValueError:
        pass  # the loop below finds each invalid value
    for i, v in enumerate(values):
        try:
            read.append(_value(c, v))
        except ValueError as error:
            faults.append(Fault(str(error), f"tables.{table}[{i}].{c.name}", f"Send {WANTED[c.kind]}."))
    return read


def _known_codes(c: Column, values: list[Any], table: type[Table], warnings: list[str], *, keep: bool) -> list[Any]:
    """Return codes in canonical spelling; warn of unknown codes, which are kept or become null."""
    texts = {v for v in values if isinstance(v, str)}
    codes = {v: code_of(c, text) for v in texts if (text := text_of(v))}
    unknown = {v for v, code in codes.items() if code is None}
    rows = [i for i, v in enumerate(values) if isinstance(v, str) and v in unknown] if unknown else []
    if rows:
        what = NO_CODE if keep else told(table, c, NO_CODE)
        warnings.append(f"{place(table.table, rows, c.name)}: {quantity(len(rows))}: {what}")
    meant = {v: code if code is not None or not keep else v for v, code in codes.items()}
    return [meant.get(v, v) if isinstance(v, str) else v for v in values]


def _value(c: Column, value: Any) -> Any:
    """Check one value; the ``ValueError`` never contains it."""
    if (
        c.kind == "date"
        and type(value) is str
        and len(value) == LENGTH_OF_DAY
        and (day := _day_in_text(value)) is not None
    ):
        return day
    if isinstance(value, str):
        value = text_of(_whole(value))
    elif isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one type of number: 70.0 is 70
    if value is None:
        if c.required:
            raise ValueError("a required value is empty")
        return None
    readers: dict[str, Callable[[Any], Any]] = {"date": _day, "integer": _number, "boolean": _flag}
    read = _text(c, value) if c.kind == "text" else readers[c.kind](value)
    if read is None:
        raise ValueError(f"the value is not {WANTED[c.kind]}")
    return read


def _whole(value: str) -> str:
    if len(value) > 500 or "\x00" in value:
        raise ValueError("the text exceeds 500 characters or contains a null byte")
    try:
        value.encode()
    except UnicodeEncodeError:
        # JSON can encode a lone surrogate; the original message would repeat the text.
        raise ValueError("the text contains a lone surrogate") from None
    return value


def _text(c: Column, value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = _whole(str(value))  # a key or year group sent as a number
    if not isinstance(value, str):
        return None
    if c.codes is None:
        return value
    code = code_of(c, value)
    if code is None:
        raise ValueError(f"the value is not a code of the set {c.codes} (docs/histories.md lists them)")
    return code


def _number(value: Any) -> int | None:
    if isinstance(value, str) and NUMBER.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    if not -(2**53) < value < 2**53:
        raise ValueError("the number is too large")
    return value


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return flag_of(str(value)) if isinstance(value, str | int) else None


@lru_cache(maxsize=20_000)  # marks of all requests are of the same days
def _day_in_text(value: str) -> int | None:
    return _day(text_of(value)) if DAY.fullmatch(value) else None


def _day(value: Any) -> int | None:
    if isinstance(value, str):
        value = day_in(value)
    return day_number(value) if type(value) is date else None
