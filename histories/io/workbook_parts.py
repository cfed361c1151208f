"""The parts of a workbook as openpyxl asks for them: measured and scanned before its parser sees a byte.

What is parsed whole, and what row by row, follows from how openpyxl asks, and not from the names that a file gives its parts. The scan
refuses document types and entities by itself: what else is installed decides nothing.
"""

from __future__ import annotations

import zipfile
from typing import Any
from xml.parsers import expat

from histories.errors import Fault, Faults

MAX_WHOLE = 16 << 20  # bytes of a part that is held as a tree: styles, the book, its properties
MAX_STRINGS = 256 << 20  # bytes of the shared strings, which are held in memory
MAX_ELEMENTS = (
    300_000  # of a part that is held as a tree; of one row or string; before the first and after the last one
)
MAX_UNITS = {"row": 1 << 20, "si": 4 << 20}  # rows as many as Excel has; shared strings
MAX_TOKEN = 1 << 20  # bytes until the next element: of one tag, text or comment; Excel's cells hold 32,767 characters
SMALLER = "Save only the sheet that is needed, or save it as CSV."


class Parts(zipfile.ZipFile):
    """The archive that openpyxl reads from.

    Parameters
    ----------
    data : file
    where : str
        For messages.

    Attributes
    ----------
    most : int
        Bytes of a part that is read piece by piece; until the book is loaded, these are the shared strings.
    """

    def __init__(self, data: Any, where: str) -> None:
        super().__init__(data)
        self.where, self.most = where, MAX_STRINGS

    def open(self, name: Any, *given: Any, **named: Any) -> Any:
        """Return a part; ``read`` comes here too."""
        if self.getinfo(getattr(name, "filename", name)).file_size > self.most:
            raise Faults(Fault("the unpacked workbook is too large", self.where, SMALLER))
        return _Part(super().open(name, *given, **named), self.where)


class _Part:
    """A part whose every piece is scanned before it is handed on."""

    def __init__(self, data: Any, where: str) -> None:
        self._data, self._where, self._scan, self._ended = data, where, _Scan(where), False

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:  # whole, as a tree
            content = self._data.read(MAX_WHOLE + 1)
            if len(content) > MAX_WHOLE:
                raise Faults(Fault("the unpacked workbook is too large", self._where, SMALLER))
            self._scan.whole(content)
            return bytes(content)
        piece = self._data.read(size)
        if piece or not self._ended:
            self._scan.feed(piece)
        self._ended = not piece
        return bytes(piece)

    def close(self) -> None:
        self._data.close()

    def __enter__(self) -> _Part:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


class _Scan:
    """Counts what a part holds, as it is read."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.elements = self.silent = 0
        self.units: dict[str, int] | None = dict.fromkeys(MAX_UNITS, 0)  # None: the elements of the whole count
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.StartDoctypeDeclHandler = self.parser.EntityDeclHandler = self._doctype

    def whole(self, content: bytes) -> None:
        """Scan a part that is held as a tree."""
        self.units = None
        self.feed(content)
        if content:
            self.feed(b"")

    def feed(self, piece: bytes) -> None:
        """Scan the next piece; an empty one is the end."""
        self.silent += len(piece)
        try:
            self.parser.Parse(piece, not piece)
        except expat.ExpatError:
            raise Faults(Fault("the workbook is damaged and cannot be read", self.where, SMALLER)) from None
        if self.units is not None and self.silent > MAX_TOKEN:
            self._refuse(f"one of its cells or tags holds more than {MAX_TOKEN >> 20} MB")

    def _start(self, name: str, _: dict[str, str]) -> None:
        self.silent = 0
        name = name.rpartition(":")[2]
        if self.units is not None and name in self.units:
            self.elements = 0
            self.units[name] += 1
            if self.units[name] > MAX_UNITS[name]:
                self._refuse(f"it has more than {MAX_UNITS[name]} rows or texts")
        self.elements += 1
        if self.elements > MAX_ELEMENTS:
            self._refuse(f"a part or a row of it has more than {MAX_ELEMENTS} elements")

    def _doctype(self, *_: Any) -> None:
        do = "It did not come from a spreadsheet program: ask who sent it."
        raise Faults(Fault("the workbook declares a document type or entities, which none needs", self.where, do))

    def _refuse(self, why: str) -> None:
        raise Faults(Fault(f"the workbook is refused: {why}", self.where, SMALLER))
