"""Find the table in a CSV or XLSX file of another system: encoding, delimiter, header row and columns."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from histories.errors import Fault, Faults
from histories.io.delimited import (
    AGAIN,
    HEAD,
    TITLE_ROWS,
    as_wanted,
    delimiter_of,
    header_row,
    heading,
    opened_text,
    readable,
)
from histories.io.workbook import is_workbook, save_sheet


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """A table as text in UTF-8 that DuckDB can read.

    Attributes
    ----------
    file : Path
        The file itself or a copy in the scratch folder.
    delimiter : str
    above : int
        Lines, or rows of the sheet, above the header in the original file.
    columns : list of str
        The headings in order; a column without one gets a generated name, which is also in ``unnamed``.
    unnamed : list of str
    workbook : bool
    """

    file: Path
    delimiter: str
    above: int
    columns: list[str]
    unnamed: list[str]
    workbook: bool


def text_table(file: Path, scratch: Path, wanted: Collection[str], sheet: int | None = None) -> TextTable:
    """Find the table in a file.

    Raises
    ------
    Faults
        If the file is empty, damaged or not text, or its header is unusable.
    """
    above, workbook = 0, is_workbook(file)
    if workbook:
        copy = scratch / f"{len(list(scratch.iterdir()))}-sheet.csv"
        above = save_sheet(file, copy, wanted, sheet)
        text = copy
    else:
        text = readable(file, scratch).file
    rows, skips, delimiter = _first_rows(text, file)
    at = 0 if workbook else header_row(rows, wanted)
    names = as_wanted([heading(n) for n in rows[at]] if rows else [], wanted)
    columns = [n or f"onroll_unnamed_{place}" for place, n in enumerate(names)]
    if not any(names):
        raise Faults(Fault("the file is empty", str(file), AGAIN))
    if any('"' in n for n in names):
        raise Faults(Fault("a heading holds quotation marks", str(file), AGAIN))
    if doubled := sorted({n for n in columns if columns.count(n) > 1}):
        raise Faults(Fault("the header names a column twice", f"{file}, columns {', '.join(doubled)}", AGAIN))
    if skips[at]:
        text = _without_titles(text, scratch, skips[at])
    unnamed = [c for c, n in zip(columns, names, strict=True) if not n]
    return TextTable(
        file=text,
        delimiter=delimiter,
        above=above or skips[at],
        columns=columns,
        unnamed=unnamed,
        workbook=workbook,
    )


def _first_rows(text: Path, file: Path) -> tuple[list[list[str]], list[int], str]:
    """Return the first rows, the number of lines above each, and the delimiter of the first line that has one."""
    with opened_text(text) as lines:
        head = lines.read(HEAD)
    rows: list[list[str]] = []
    skips, delimiter = [0], ","
    try:
        first_lines = head.splitlines()[:TITLE_ROWS]
        delimiter = next((d for line in first_lines if (d := delimiter_of(line)) in line), ",")
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, strict=True)
        for row in islice(reader, TITLE_ROWS):
            rows.append(row)
            skips.append(reader.line_num)
    except csv.Error:
        # Reading the whole file later reports faults below the header.
        if not rows:
            raise Faults(Fault("the header cannot be read as CSV", str(file), AGAIN)) from None
    return rows, skips, delimiter


def first_text_rows(file: Path, scratch: Path) -> list[list[str]]:
    """Return the first rows of delimited text.

    Raises
    ------
    Faults
        If the file is not text.
    """
    return _first_rows(readable(file, scratch).file, file)[0]


def _without_titles(text: Path, scratch: Path, lines: int) -> Path:
    """Copy a text file from its header on."""
    copy = scratch / f"{len(list(scratch.iterdir()))}-below-titles.csv"
    with opened_text(text) as whole, copy.open("w", encoding="utf-8", newline="") as below:
        for _ in range(lines):
            whole.readline()
        shutil.copyfileobj(whole, below)
    return copy
