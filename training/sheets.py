"""Output for people: aligned text tables and Matplotlib pictures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from histories.errors import Fault, Usage
from histories.io.atomic_write import new_file

PICTURES = (".png", ".svg", ".pdf")


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


def picture_kind(out: Path) -> str:
    """Return the picture format of a file name.

    Raises
    ------
    Usage
        If it is none of ``PICTURES``.
    """
    if out.suffix.lower() not in PICTURES:
        raise Usage(
            Fault("this is not the name of a picture file", str(out), f"Use the extension {', '.join(PICTURES)}.")
        )
    return out.suffix.lower()[1:]


def write_picture(figure: object, out: Path) -> None:
    """Write a Matplotlib figure atomically, in the format of the file name."""
    kind = picture_kind(out)
    with new_file(out) as temporary:
        figure.savefig(temporary, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)  # type: ignore[attr-defined]
