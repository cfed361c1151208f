"""Write CSV that no spreadsheet runs as formulas (OWASP: CSV injection), and read it back.

Nothing else in the house writes CSV: ``tests/house/test_one_csv_writer.py`` holds that.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO, TypeVar

from histories.errors import Fault, Faults
from histories.io.atomic_write import new_file

Cell = TypeVar("Cell")

GUARD = "'"
FORMULA = "=+-@"
LINE = "\t\r\n"
INVISIBLE = ("Z", "Cc", "Cf")  # separators, controls and format characters, in Unicode's categories


def as_text(cell: Cell) -> Cell | str:
    """Return a cell for CSV: text that a spreadsheet would run as a formula gets an apostrophe; other values are unchanged.

    Text is guarded when it begins with a tab or a line break, or when its first visible character is ``=``, ``+``, ``-`` or
    ``@``, in any width; and when it looks guarded already, so that ``from_text`` returns every text.

    Examples
    --------
    >>> as_text("=1+1"), as_text("  +1"), as_text("a-b"), as_text(-0.5), as_text(None)
    ("'=1+1", "'  +1", 'a-b', -0.5, None)
    """
    if not isinstance(cell, str):
        return cell
    shown = cell.lstrip(GUARD)
    if not shown:
        return cell
    first = next((c for c in shown if not unicodedata.category(c).startswith(INVISIBLE)), "")
    # NFKC turns full-width and small forms into the plain character, as Excel does.
    runs = shown[0] in LINE or (first and unicodedata.normalize("NFKC", first)[0] in FORMULA)
    return f"{GUARD}{cell}" if runs else cell


def from_text(cell: str) -> str:
    """Return the text that ``as_text`` made a cell of.

    Examples
    --------
    >>> from_text("'=1+1"), from_text("'tis"), from_text("''=1")
    ('=1+1', "'tis", "'=1")
    """
    return cell[1:] if cell.startswith(GUARD) and as_text(cell[1:]) == cell else cell


class GuardedWriter:
    """Writes rows of CSV with every cell guarded, to a file that is open."""

    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(file)

    def rows(self, rows: Iterable[Iterable[object]]) -> None:
        """Write rows."""
        self._writer.writerows([as_text(c) for c in row] for row in rows)


def write_csv(out: Path, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV in UTF-8 with every cell guarded; the file appears whole or not at all, for its owner only."""
    with new_file(out) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = GuardedWriter(file)
        writer.rows([headers])
        writer.rows(rows)


def read_csv(file: Path, needed: Iterable[str] = ()) -> tuple[list[str], list[dict[str, str]]]:
    """Return the headings and rows of a file of ``write_csv``, which people may have changed in a spreadsheet.

    A row that is too short has empty cells; cells beyond the headings are left out.

    Parameters
    ----------
    needed : iterable of str
        Headings that the file must have.

    Raises
    ------
    Faults
        With each heading that is needed and missing, or if the file is no text in UTF-8.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            table = csv.DictReader(lines, restval="")
            names = list(table.fieldnames or ())
            rows = [{name: from_text(row[name]) for name in names} for row in table]
    except (UnicodeDecodeError, csv.Error) as error:
        do = "Save it in the spreadsheet as CSV UTF-8 (comma delimited), or take the file from before."
        raise Faults(Fault("this is not CSV in UTF-8", str(file), do)) from error
    do = "Write the heading into the first line again, with commas between headings."
    faults = [Fault(f"the heading {name} is missing", f"{file}, line 1", do) for name in needed if name not in names]
    if faults:
        raise Faults(faults)
    return names, rows
