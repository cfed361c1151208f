"""Write CSV that no spreadsheet runs as formulas (OWASP: CSV injection)."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from histories.io.atomic_write import new_file

Cell = TypeVar("Cell")

FORMULA = "=+-@"
LINE = "\t\r\n"
INVISIBLE = ("Z", "Cc", "Cf")  # separators, controls and format characters, in Unicode's categories


def as_text(cell: Cell) -> Cell | str:
    """Return a cell for CSV: text that a spreadsheet would run as a formula gets an apostrophe; other values are unchanged.

    Text is guarded when it begins with a tab or a line break, or when its first visible character is ``=``, ``+``, ``-`` or
    ``@``, in any width.

    Examples
    --------
    >>> as_text("=1+1"), as_text("  +1"), as_text("a-b"), as_text(-0.5), as_text(None)
    ("'=1+1", "'  +1", 'a-b', -0.5, None)
    """
    if not isinstance(cell, str) or not cell:
        return cell
    first = next((c for c in cell if not unicodedata.category(c).startswith(INVISIBLE)), "")
    # NFKC turns full-width and small forms into the plain character, as Excel does.
    runs = cell[0] in LINE or (first and unicodedata.normalize("NFKC", first)[0] in FORMULA)
    return f"'{cell}" if runs else cell


def write_csv(out: Path, headers: Sequence[str], rows: Sequence[Sequence[object]], *, private: bool = False) -> None:
    """Write rows as CSV in UTF-8 with every cell guarded; the file appears whole or not at all.

    Only the owner can read a ``private`` file, from its first byte on.
    """
    with new_file(out) as beside:
        if private:
            beside.unlink(missing_ok=True)  # of a killed run
            beside.touch(mode=0o600, exist_ok=False)
        _write(beside, headers, rows)


def _write(path: Path, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(headers)
        writer.writerows([as_text(c) for c in row] for row in rows)
