"""Rows that a reader of XML or JSON yields one by one, written to a staged table in batches so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from histories.reading.values import text_of

BATCH = 50_000


class Tables(Protocol):
    """What a buffer needs of ``Staging``."""

    files: dict[str, Path]
    columns: dict[str, list[str]]

    def sql(self, statement: str, *values: Any) -> list[tuple]:
        """Run a statement."""

    def give(self, name: str, columns: Mapping[str, Iterable[Any]]) -> None:
        """Create a table from lists of text."""


class RowBuffer:
    """A staged table of text that is filled row by row.

    Parameters
    ----------
    staging : Tables
    name : str
        The table; it is made at once, so that a file without rows still has it.
    file : Path
        The file that messages about the table name.
    columns : list of str
    """

    def __init__(self, staging: Tables, name: str, file: Path, columns: list[str]) -> None:
        self.staging, self.name, self.columns = staging, name, columns
        self.pending: list[tuple] = []
        typed = ", ".join(f'"{c}" VARCHAR' for c in columns)
        staging.sql(f'CREATE TABLE "{name}" (onroll_line BIGINT, {typed})')
        staging.files[name], staging.columns[name] = file, columns

    def add(self, line: int, *cells: str | None) -> None:
        """Add the row that begins on a line of the file; each cell becomes the text that ``text_of`` makes of it."""
        self.pending.append((line, *[cell and text_of(cell) for cell in cells]))
        if len(self.pending) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait."""
        if self.pending:
            columns = zip(["onroll_line", *self.columns], zip(*self.pending, strict=True), strict=True)
            self.staging.give("batch", dict(columns))
            self.staging.sql(f'INSERT INTO "{self.name}" SELECT * FROM batch; DROP TABLE batch')
            self.pending.clear()
