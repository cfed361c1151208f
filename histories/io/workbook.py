"""Excel workbooks (XLSX) as delimited text: the sheet with the wanted headings, from its header on.

Workbooks are archives, so their sizes are checked before anything is unpacked, and each part is scanned before it is parsed. Macros, formulas and links are never run: a
cell has the value that was saved with it.
"""

from __future__ import annotations

import csv
import time
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.delimited import TITLE_ROWS, header_row, headings_of
from histories.io.workbook_parts import Parts

MAX_MEMBERS = 10_000
MAX_UNPACKED = 2 << 30  # bytes of the whole workbook
MAX_COLUMNS = 2_000
MAX_SECONDS = 900
ARCHIVE = b"PK\x03\x04"
COMPOUND = b"\xd0\xcf\x11\xe0"  # the container of .xls, and of an XLSX with a password
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
AGAIN = "Save it again as an Excel workbook (.xlsx) without a password, or as CSV in UTF-8."


def is_workbook(file: Path) -> bool:
    """Return whether the first bytes of a file are those of a workbook or another archive, whatever its name."""
    with file.open("rb") as data:
        return data.read(4) in (ARCHIVE, COMPOUND)


def save_sheet(file: Path, out: Path, wanted: Collection[str], number: int | None = None) -> int:
    """Write the sheet of a workbook that has most of the wanted headings as CSV in UTF-8, from its header on.

    Dates become ISO dates, and whole numbers lose their ``.0``. Empty rows are kept, so that row numbers stay right.

    Returns
    -------
    int
        Rows above the header.

    Raises
    ------
    Faults
        If the workbook is damaged, password-protected or too large, or no sheet or several sheets have the headings.
    """
    with _opened(file) as book:
        sheet, above = _choose(book, file, wanted, number)
        with out.open("w", encoding="utf-8", newline="") as text:
            _write(sheet, above, csv.writer(text), file)
    return above


def first_rows(file: Path) -> list[list[list[str]]]:
    """Return the first rows of each sheet as text.

    Raises
    ------
    Faults
        If the workbook is damaged, password-protected or too large.
    """
    with _opened(file) as book:
        return [list(islice(_rows(sheet), TITLE_ROWS)) for sheet in book.worksheets]


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    """Open a workbook for reading row by row, after checking its unpacked size."""
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    _check_sizes(file)
    with file.open("rb") as data:  # given the path, openpyxl would refuse a workbook named .csv
        try:
            reader = ExcelReader(data, read_only=True, data_only=True, keep_links=False)
            reader.archive = parts = Parts(data, str(file))
            reader.read()
            book, parts.most = reader.wb, MAX_UNPACKED  # from now on sheets, row by row
            if book.epoch == CALENDAR_MAC_1904:
                do = "Save it again with the 1900 date system, or as CSV."
                raise Faults(Fault("the workbook counts days from 1904, so its days could be misread", str(file), do))
            yield book
        except (Faults, MemoryError):
            raise
        except Exception as error:  # damaged XML makes openpyxl raise many types of exceptions
            raise _damaged(file) from error


def _check_sizes(file: Path) -> None:
    with file.open("rb") as data:
        if data.read(4) == COMPOUND:
            data.seek(0)
            protected = any(ENCRYPTED in piece for piece in iter(lambda: data.read(1 << 22), b""))
            what = "is protected by a password" if protected else "is an old Excel workbook (.xls)"
            raise Faults(Fault(f"the file {what}", str(file), AGAIN))
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
        raise _damaged(file) from None
    if len(members) > MAX_MEMBERS or sum(m.file_size for m in members) > MAX_UNPACKED:
        do = "Save only the sheet that is needed, or save it as CSV."
        raise Faults(Fault("the unpacked workbook is too large", str(file), do))
    if not any(m.filename.lower() == "xl/workbook.xml" for m in members):
        raise Faults(Fault("the file is an archive, not an Excel workbook", str(file), "Unpack the file first."))


def _damaged(file: Path) -> Faults:
    return Faults(Fault("the workbook is damaged and cannot be read", str(file), AGAIN))


def _choose(book: Any, file: Path, wanted: Collection[str], number: int | None) -> tuple[Any, int]:
    """Return the first of the sheets with most of the wanted headings, and the rows above its header."""
    sheets = []
    for sheet in book.worksheets if number is None else book.worksheets[number : number + 1]:
        rows = list(islice(_rows(sheet), TITLE_ROWS))
        if any(map(any, rows)):
            above = header_row(rows, wanted)
            sheets.append((len(headings_of(rows[above]) & set(wanted)), sheet, above, len(rows) > above + 1))
    if not sheets:
        raise Faults(Fault("the workbook is empty", str(file), AGAIN))
    matched, sheet, above, _ = max(sheets, key=_matched)
    if not matched and len(sheets) > 1:
        do = f"Name the columns of one sheet: {', '.join(sorted(wanted)) or 'see docs/returns.md'}."
        raise Faults(Fault(f"none of the {len(sheets)} sheets has the expected headings", str(file), do))
    alike = [
        book.worksheets.index(s) + 1 for count, s, _, has_rows in sheets if matched and count == matched and has_rows
    ]
    if len(alike) > 1:
        do = "Save each as a file of its own, and remove those that are not needed."
        raise Faults(Fault(f"the sheets {', '.join(map(str, alike))} have the expected headings", str(file), do))
    return sheet, above


def _matched(sheet: tuple[int, Any, int, bool]) -> int:
    return sheet[0]


def _write(sheet: Any, above: int, out: Any, file: Path) -> None:
    began, width = time.monotonic(), 0
    for number, row in enumerate(islice(_rows(sheet), above, None), start=above + 1):
        while row and not row[-1]:
            row.pop()
        width = width or len(row)
        if len(row) > width or width > MAX_COLUMNS:
            what = "a row has more cells than the header" if width <= MAX_COLUMNS else "the sheet has too many columns"
            raise Faults(Fault(what, f"{file}, line {number}", "Give each column a heading, and save it again."))
        if time.monotonic() - began > MAX_SECONDS:
            do = "Save the sheet as CSV."
            raise Faults(Fault(f"reading the workbook takes more than {MAX_SECONDS // 60} minutes", str(file), do))
        out.writerow(row + [""] * (width - len(row)))


def _rows(sheet: Any) -> Iterator[list[str]]:
    sheet.reset_dimensions()  # some exporters declare fewer cells than they write
    for row in sheet.iter_rows(values_only=True):
        yield [text_of_cell(value) for value in row]


def text_of_cell(value: Any) -> str:
    """Return a cell's value as text.

    Examples
    --------
    >>> text_of_cell(5.0), text_of_cell(datetime(2024, 9, 4)), text_of_cell(None), text_of_cell(True)
    ('5', '2024-09-04', '', 'true')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        midnight = value == datetime(value.year, value.month, value.day)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    # Tabs and line breaks inside a cell become blanks.
    return " ".join(str(value).split()) if any(c in str(value) for c in "\r\n\t") else str(value).strip(" \u00a0")
