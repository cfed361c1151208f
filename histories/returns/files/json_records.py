"""JSON of returns, read record by record: a list of objects, an object with such a list in ``data``, or one object a line.

Only one record is held at a time, so a file may be larger than memory; size, record and nesting are limited.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.delimited import encoding_of, opened_text

MAX_BYTES = 4 << 30
MAX_RECORD = 1 << 20  # characters of one record, or of what stands before the list
PIECE = 1 << 16
BLANKS = " \t\r\n\ufeff"
AGAIN = "Export it again from the source system."
Record = dict[str, Any]


class _Refused(Exception):
    """Says what the file may not hold."""


def read_records(file: Path, take: Callable[[Record, int], None]) -> int:
    """Call a function with each record of a file and its number, from 1; return how many there are.

    Raises
    ------
    Faults
        If the file is too large, damaged, or holds something else than objects.
    """
    number = 0
    for record in records_of(file):
        number += 1
        take(record, number)
    return number


def records_of(file: Path) -> Iterator[Record]:
    """Yield the records of a file; raise ``Faults`` as ``read_records`` does."""
    number = 0
    try:
        if file.stat().st_size > MAX_BYTES:
            raise _Refused(f"it is larger than {MAX_BYTES >> 30} GiB")
        with opened_text(file, encoding_of(file)) as text:
            for record in _Scanner(text).records():
                number += 1
                yield record
    except _Refused as refused:
        raise Faults(Fault(f"the file is refused: {refused}", f"{file}, line of record {number + 1}", AGAIN)) from None
    except (ValueError, RecursionError):
        what = "the file is not valid JSON: cut off, damaged or in another encoding"
        raise Faults(Fault(what, f"{file}, line of record {number + 1}", AGAIN)) from None


def leaves(record: Record, above: str = "") -> dict[str, str]:
    """Return the values of a record as text by their path, such as ``student.data.upn``; what is null or a list is left out."""
    values: dict[str, str] = {}
    for name, value in record.items():
        path = f"{above}{name}"
        if isinstance(value, dict):
            values |= leaves(value, f"{path}.")
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            values[path] = str(value)
    return values


class _Scanner:
    """Finds the records in a text, piece by piece."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.text, self.buffer, self.ended = text, "", False
        self.decode = json.JSONDecoder().raw_decode

    def records(self) -> Iterator[Record]:
        """Yield every record of every document in the text."""
        while first := self.peek():
            if first == "[":
                yield from self.items()
            elif first == "{":
                yield from self.object()
            else:
                raise _Refused("it holds something else than objects")

    def peek(self) -> str:
        """Return the next character that is no blank, without taking it; empty at the end."""
        while True:
            self.buffer = self.buffer.lstrip(BLANKS)
            if self.buffer or self.ended:
                return self.buffer[:1]
            self.more()

    def more(self) -> None:
        piece = self.text.read(PIECE)
        self.buffer += piece
        self.ended = not piece

    def take(self, expected: str) -> str:
        """Take one of some characters."""
        if (character := self.peek()) not in expected or not character:
            raise ValueError(expected)
        self.buffer = self.buffer[1:]
        return character

    def value(self) -> Any:
        """Take a whole value."""
        self.peek()
        while True:
            try:
                value, end = self.decode(self.buffer)
                if end < len(self.buffer) or self.ended:  # a number could go on in the next piece
                    self.buffer = self.buffer[end:]
                    return value
            except ValueError:
                if self.ended:
                    raise
            if len(self.buffer) > MAX_RECORD:
                raise _Refused(f"a record holds more than {MAX_RECORD:,} characters")
            self.more()

    def items(self) -> Iterator[Record]:
        """Yield the objects of a list."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            value = self.value()
            if not isinstance(value, dict):
                raise _Refused("it holds something else than objects")
            yield value
            if self.take(",]") == "]":
                return

    def object(self) -> Iterator[Record]:
        """Yield the objects of the list in ``data``, or the object itself when it has no such list."""
        self.take("{")
        record: Record = {}
        lists = False
        while self.peek() != "}":
            name = self.value()
            self.take(":")
            if name == "data" and self.peek() == "[":
                lists = True
                yield from self.items()
            else:
                record[str(name)] = self.value()
            if self.peek() == ",":
                self.take(",")
        self.take("}")
        if not lists:
            yield record
