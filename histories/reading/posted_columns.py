"""Columns of posted tables: turned from rows, and of marks each distinct value once, since many rows have few codes, days and children."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from itertools import chain
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

MANY_ROWS = ("attendance",)  # tables whose posted columns are read so
KINDS = (str, date)  # values of these kinds equal none of another; true equals 1


class CodedColumn(Sequence[Any]):
    """A column of few different values.

    Parameters
    ----------
    values : list
        None is a missing value. A value may be there twice, or be of no row.
    places : int32 array, shape (rows,)
        Index of each row's value.
    """

    def __init__(self, values: list[Any], places: np.ndarray) -> None:
        self.values, self.places = values, places
        self._list: list[Any] | None = None

    @classmethod
    def of(cls, given: list[Any]) -> CodedColumn | None:
        """Return a list of texts, or of dates, as a coded column; None for any other list."""
        try:
            places: dict[Any, int] = dict.fromkeys(given, 0)
        except TypeError:  # a list or an object
            return None
        if not any({*map(type, places)} <= {kind, type(None)} for kind in KINDS):
            return None
        for place, value in enumerate(places):
            places[value] = place
        return cls(list(places), np.fromiter(map(places.__getitem__, given), np.int32, len(given)))

    @classmethod
    def of_arrow(cls, array: pa.Array) -> CodedColumn:
        """Return an array of Arrow without a dictionary as a coded column."""
        encoded = array.dictionary_encode(null_encoding="encode")
        return cls(encoded.dictionary.to_pylist(), encoded.indices.to_numpy())

    def map(self, convert: Callable[[Any], Any]) -> CodedColumn:
        """Return the column with each value converted once."""
        return CodedColumn([convert(value) for value in self.values], self.places)

    def to_list(self) -> list[Any]:
        """Return the value of each row."""
        if self._list is None:
            self._list = list(map(self.values.__getitem__, self.places.tolist()))
        return self._list

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, row: Any) -> Any:
        return self.to_list()[row]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.to_list())


class CodedRows:
    """Rows that name the same columns, as these.

    Parameters
    ----------
    columns : dict
        By name, in the order of the first row.
    count : int
        The rows.
    """

    def __init__(self, columns: dict[str, CodedColumn], count: int) -> None:
        self.columns, self.count = columns, count

    def __len__(self) -> int:
        return self.count


PostedColumn: TypeAlias = list[Any] | CodedColumn


def distinct(column: PostedColumn) -> Sequence[Any]:
    """Return values among which are all of a column: few, where it is coded."""
    return column.values if isinstance(column, CodedColumn) else column


def listed(columns: Mapping[str, PostedColumn]) -> dict[str, list[Any]]:
    """Return columns as plain lists."""
    return {name: column if isinstance(column, list) else column.to_list() for name, column in columns.items()}


def turned(rows: list[Any] | CodedRows) -> Mapping[Any, PostedColumn]:
    """Return rows as columns."""
    if isinstance(rows, CodedRows):
        return rows.columns
    if len(set(map(len, rows))) == 1:
        with suppress(KeyError):  # five times as fast as row.get
            return {name: list(map(itemgetter(name), rows)) for name in rows[0]}
    return _Uneven(rows)


class _Uneven(Mapping[Any, list[Any]]):
    """Rows that lack some columns, as columns; each is made when it is asked for, since rows may name as many as there are rows."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows, self.names = rows, dict.fromkeys(chain.from_iterable(rows))

    def __getitem__(self, name: Any) -> list[Any]:
        return [row.get(name) for row in self.rows]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)
