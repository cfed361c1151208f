"""Small tables written as aligned text, for tests that are read as documentation."""

from __future__ import annotations

from typing import Any

from histories.tables import TABLES


def rows(table: str, text: str) -> list[dict[str, Any]]:
    """Read a table from lines of columns separated by ``|``; an empty cell is null."""
    lines = [[c.strip() for c in line.split("|")] for line in text.strip().splitlines()]
    columns = TABLES[table].columns
    return [
        {name: _value(columns[name].kind, cell) for name, cell in zip(lines[0], line, strict=True)}
        for line in lines[1:]
    ]


def _value(kind: str, cell: str) -> Any:
    if cell == "":
        return None
    return int(cell) if kind == "integer" else cell == "true" if kind == "boolean" else cell
