"""Detect the encoding, delimiter and header of delimited text from spreadsheets and other systems."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults

HEAD = 1 << 20  # maximum bytes of a header
CHUNK = 1 << 22
TITLE_ROWS = 30  # the header must be among the first rows
DELIMITERS = ",;\t|"
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
AGAIN = "Export it again as CSV in UTF-8."


@dataclass(frozen=True)
class Delimited:
    """A UTF-8 text file that DuckDB can read.

    Attributes
    ----------
    file : Path
        The file itself, or a copy in UTF-8 in the caller's scratch folder.
    delimiter : str
    encoding : str
        Encoding of the original.
    """

    file: Path
    delimiter: str
    encoding: str

    def headings(self) -> list[str]:
        """Return the headings as written."""
        with opened_text(self.file) as text:
            return next(csv.reader(text, delimiter=self.delimiter), [])

    def uneven(self, most: int) -> list[int]:
        """Return the last line of each of the first rows that have more or fewer cells than there are headings."""
        with opened_text(self.file) as text:
            rows = csv.reader(text, delimiter=self.delimiter)
            columns = len(next(rows, []))
            uneven = (rows.line_num for row in rows if row and len(row) != columns)
            try:
                return list(islice(uneven, most))
            except csv.Error:  # a cell without an end
                return [rows.line_num]


def heading(name: str) -> str:
    """Normalise a column's heading: lower case, no byte order mark, blanks and hyphens as underscores, no mark at its end.

    Examples
    --------
    >>> heading("\\ufeff Recorded On "), heading("Recorded-on:"), heading("2024-09-04 AM")
    ('recorded_on', 'recorded_on', '2024-09-04_am')
    """
    bare = name.replace("\ufeff", "").strip(" \t\r\n\u00a0").rstrip(":*?# \u00a0")
    return re.sub(r"[\s\u00a0_]+|(?<=[A-Za-z])[-\u2010-\u2013]+(?=[A-Za-z])", "_", bare).lower()


def joined(name: str) -> str:
    """Return a heading without the marks between its words, by which ``MissingFrom`` is ``missing_from``.

    Examples
    --------
    >>> joined("missing_from")
    'missingfrom'
    """
    return re.sub(r"[^0-9a-z]", "", name.lower())


def as_wanted(headings: Sequence[str], wanted: Collection[str]) -> list[str]:
    """Return headings, each that differs from one wanted heading only in the marks between words as that heading.

    Examples
    --------
    >>> as_wanted(["missingfrom", "notes"], {"missing_from"})
    ['missing_from', 'notes']
    """
    meant = {joined(name): name for name in wanted if name not in headings}
    return [name if name in wanted else meant.get(joined(name), name) for name in headings]


def headings_of(row: Sequence[str]) -> set[str]:
    """Return the headings in a row."""
    return {heading(cell) for cell in row if cell.strip()}


def header_row(rows: Sequence[Sequence[str]], wanted: Collection[str] = ()) -> int:
    """Return which of the first rows is the header: the first that names most of the wanted headings.

    If none is present, it is the first row with at least two filled cells: titles above a header fill one cell.

    Examples
    --------
    >>> header_row([["Children on 4 September"], [], ["UPN", "Date"]], {"upn"})
    2
    """
    matches = [len(set(as_wanted(sorted(headings_of(row)), wanted)) & set(wanted)) for row in rows]
    if any(matches):
        return matches.index(max(matches))
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    return next((n for n, count in enumerate(filled) if count > 1), next((n for n, c in enumerate(filled) if c), 0))


def encoding_of(file: Path) -> str:
    """Detect the encoding of a text file by its byte order mark, its zero bytes, or a trial in UTF-8.

    The fallback is Windows-1252, which accepts any byte; text in it is rarely valid UTF-8.

    Raises
    ------
    Faults
        If the file is binary.
    """
    with _bytes_of(file) as data:
        head = data.read(HEAD)
        for mark, name in BOMS:
            if head.startswith(mark):
                return name
        if b"\x00" in head:
            even, odd = head[0::2].count(0), head[1::2].count(0)
            if max(even, odd) > 0.3 * len(head) / 2:
                return "utf-16-le" if odd > even else "utf-16-be"
            raise Faults(Fault("the file is binary, not text", str(file), AGAIN))
        data.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := data.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def opened_text(file: Path, encoding: str = "utf-8") -> io.TextIOWrapper:
    """Open a text file, gzipped or not, without changing its line ends."""
    return io.TextIOWrapper(_bytes_of(file), encoding=encoding, newline="")


def _bytes_of(file: Path) -> Any:
    return gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb")


def delimiter_of(header: str) -> str:
    """Return the delimiter that splits a header into most columns; a comma for a single column.

    Examples
    --------
    >>> delimiter_of('pupil_id;"date; of birth"')
    ';'
    """
    parts = {d: len(next(csv.reader(io.StringIO(header), delimiter=d), [])) for d in DELIMITERS}
    best = max(DELIMITERS, key=lambda d: parts[d])
    return best if parts[best] > 1 else ","


def readable(file: Path, scratch: Path) -> Delimited:
    """Detect a file's encoding and delimiter; a file that is not plain UTF-8 is copied to the scratch folder in UTF-8.

    Raises
    ------
    Faults
        If the file is empty, damaged or binary.
    """
    encoding = encoding_of(file)
    try:
        with opened_text(file, encoding) as text:
            header = text.readline(HEAD).rstrip("\r\n")
            delimiter = delimiter_of(header)
            if encoding == "utf-8":
                return Delimited(file, delimiter, encoding)
            text.seek(0)
            copy = scratch / f"{len(list(scratch.iterdir()))}-{file.name.split('.')[0]}.csv"
            with copy.open("w", encoding="utf-8", newline="") as out:
                while chunk := text.read(CHUNK):
                    out.write(chunk)
    except UnicodeError:
        what = f"the file cannot be read as text in {encoding}"
        raise Faults(Fault(what, str(file), AGAIN)) from None
    except csv.Error:
        raise Faults(Fault("the header cannot be read as CSV", str(file), AGAIN)) from None
    return Delimited(copy, delimiter, encoding)
