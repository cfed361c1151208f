"""Write the table of gates in ``docs/models.md`` from the gates and their limits; with ``--check``, fail if it is out of date."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from histories.table_docs import DOCS, write
from training.gates import GATES
from training.gates.limits import load_limits

BEGIN, END = "<!-- gates: written by make docs -->", "<!-- end of gates -->"


def table() -> str:
    """Return the gates as a Markdown table."""
    limits = load_limits()
    rows = [
        f"| {g.code} | {g.title} | {' '.join(g.reason.split())} | {limits_text(limits.get(g.code, {}))} | {g.do} |"
        for g in GATES
    ]
    head = "| gate | requirement | why it matters | limits | if it fails |\n|---|---|---|---|---|"
    return "\n".join([head, *rows])


def page(text: str) -> str:
    """Return the page with the current table."""
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{table()}\n{END}", text, flags=re.DOTALL)


def limits_text(limits: Mapping[str, Any]) -> str:
    """Return limits as one line of Markdown."""
    return "; ".join(f"`{name}` {_said(value)}" for name, value in limits.items()) or "none"


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value).lower()


if __name__ == "__main__":
    file = DOCS / "models.md"
    sys.exit(write(file, page(file.read_text(encoding="utf-8"))))
