"""Aligned text tables, for people who read a terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence


def text_table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "", left: int = 1) -> str:
    """Return rows as aligned text; the first ``left`` columns are left-aligned."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=SIMPLE, pad_edge=False)
    for n, header in enumerate(headers):
        table.add_column(header, justify="left" if n < left else "right", no_wrap=True)
    for row in rows:
        # Plain text: [c] is a symbol, not Rich markup.
        table.add_row(*(Text(cell) for cell in row))
    buffer = io.StringIO()
    Console(file=buffer, width=240, color_system=None).print(table)
    return "\n".join(line.rstrip() for line in buffer.getvalue().strip("\n").splitlines())
