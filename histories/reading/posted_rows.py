"""Read the rows of a request; faults name positions, never values."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import cache
from operator import itemgetter
from typing import Any

from histories.calendar import day_number
from histories.errors import Fault, Faults
from histories.reading.files import WANTED
from histories.reading.plain_frame import PlainFrame
from histories.tables import TABLES, Column, Table

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_rows(
    tables: dict[str, list[dict[str, Any]]],
) -> tuple[dict[str, PlainFrame], dict[str, Callable[[], Any]], list[str]]:
    """Convert the rows of each table into a frame.

    Returns
    -------
    dict, dict, list of str
        The frames as plain lists, with dates as day numbers; functions that return each as a lazy Polars frame; warnings.

    Raises
    ------
    Faults
        With the position of every fault.
    """
    warnings: list[str] = []
    faults: list[Fault] = []
    if not isinstance(tables, dict):
        raise Faults(Fault("this is not an object of tables", "histories", "Send tables by name, each a list of rows."))
    for name, table in TABLES.items():
        if table.required and name not in tables:
            faults.append(Fault("a required table is missing", f"tables.{name}", "Send its rows."))
    frames: dict[str, PlainFrame] = {}
    for name, rows in tables.items():
        place = f"tables.{name if name in TABLES else '…'}"  # an undeclared name could be a value
        if not isinstance(rows, list):
            faults.append(Fault("this is not a list of rows", place, "Send a list of objects."))
        elif not set(map(type, rows)) <= {dict}:
            bad = [i for i, row in enumerate(rows) if not isinstance(row, dict)]
            faults += [Fault("this is not an object", f"{place}[{i}]", "Send columns by name.") for i in bad]
        elif name not in TABLES:
            warnings.append(f"the table at position {len(warnings) + 1} is not declared and is ignored")
        else:
            frames[name] = PlainFrame(_columns(TABLES[name], rows, faults, warnings), len(rows))
    if faults:
        raise Faults(faults)
    return frames, {n: _in_polars(TABLES[n], f) for n, f in frames.items()}, warnings


def _in_polars(table: type[Table], frame: PlainFrame) -> Callable[[], Any]:
    @cache
    def polars_frame() -> Any:
        import polars as pl

        kinds = {"text": pl.String, "date": pl.Int32, "integer": pl.Int64, "boolean": pl.Boolean}
        return pl.DataFrame(frame.data, schema={c.name: kinds[c.kind] for c in table.columns.values()}).lazy()

    return polars_frame


def _columns(
    table: type[Table], rows: list[dict[str, Any]], faults: list[Fault], warnings: list[str]
) -> dict[str, list[Any]]:
    columns = {c.name: _column(c, _values(rows, c.name), table.table, faults) for c in table.columns.values()}
    unknown = set().union(*rows) - set(table.columns)
    if unknown:
        warnings.append(f"{table.table}: {len(unknown)} column(s) are not declared and are ignored")
    return columns


def _values(rows: list[dict[str, Any]], name: str) -> list[Any]:
    try:
        return list(map(itemgetter(name), rows))  # five times as fast as row.get
    except KeyError:
        return [row.get(name) for row in rows]


def _column(c: Column, values: list[Any], table: str, faults: list[Fault]) -> list[Any]:
    """Check the values of a column, each distinct text once: marks have few distinct days and codes."""
    read: list[Any] = []
    try:
        if set(map(type, values)) <= {str, type(None)}:
            converted = {v: _value(c, v) for v in set(values)}
            return [converted[v] for v in values]
        return [_value(c, v) for v in values]
    except ValueError:
        pass  # the invalid ones are found one by one below
    for i, v in enumerate(values):
        try:
            read.append(_value(c, v))
        except ValueError as error:
            faults.append(Fault(str(error), f"tables.{table}[{i}].{c.name}", f"Send {WANTED[c.kind]}."))
    return read


def _value(c: Column, value: Any) -> Any:
    """Check one value; the ``ValueError`` never contains it."""
    if value is None or value == "":
        if c.required:
            raise ValueError("a required value is empty")
        return None
    if c.kind == "date":
        return _day(value)
    if c.kind == "integer" and isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one type of number: 70.0 is 70
    wanted: Any = {"text": str, "integer": int, "boolean": bool}[c.kind]
    if not isinstance(value, wanted) or (c.kind == "integer" and isinstance(value, bool)):
        raise ValueError(f"the value is not {WANTED[c.kind]}")
    if c.kind == "integer" and not -(2**53) < value < 2**53:
        raise ValueError("the number is too large")
    return _text(value) if c.kind == "text" else value


def _text(value: str) -> str:
    if len(value) > 500 or "\x00" in value:
        raise ValueError("the text exceeds 500 characters or contains a null byte")
    try:
        value.encode()
    except UnicodeEncodeError:
        # JSON can encode a lone surrogate; the original message would repeat the text.
        raise ValueError("the text contains a lone surrogate") from None
    return value


def _day(value: Any) -> int:
    if isinstance(value, str) and DATE.fullmatch(value):
        try:
            return day_number(date.fromisoformat(value))
        except ValueError:
            pass
    if type(value) is date:
        return day_number(value)
    raise ValueError(f"the value is not {WANTED['date']}") from None
