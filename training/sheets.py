"""Figures for people: rows as a table on a terminal, and pictures by Matplotlib."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from histories.errors import Fault, Usage
from histories.io.atomic_write import new_file

PICTURES = (".png", ".svg", ".pdf")


def text_table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "", left: int = 1) -> str:
    """Return rows as aligned text; the first ``left`` columns are words, the rest numbers."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=SIMPLE, pad_edge=False)
    for n, header in enumerate(headers):
        table.add_column(header, justify="left" if n < left else "right", no_wrap=True)
    for row in rows:
        # As plain text: [c] is a symbol here and not a colour.
        table.add_row(*(Text(cell) for cell in row))
    buffer = io.StringIO()
    Console(file=buffer, width=240, color_system=None).print(table)
    return "\n".join(line.rstrip() for line in buffer.getvalue().strip("\n").splitlines())


def picture_kind(out: Path) -> str:
    """Return the kind of picture that a file's name asks for.

    Raises
    ------
    Usage
        When it is none of ``PICTURES``.
    """
    if out.suffix.lower() not in PICTURES:
        raise Usage(Fault("this is not a name of a picture", str(out), f"End it with {', '.join(PICTURES)}."))
    return out.suffix.lower()[1:]


def write_picture(figure: object, out: Path) -> None:
    """Write a Matplotlib figure in the kind that the file's name asks for, beside and then renamed."""
    kind = picture_kind(out)
    with new_file(out) as beside:
        figure.savefig(beside, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)  # type: ignore[attr-defined]
