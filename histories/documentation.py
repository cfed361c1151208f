"""Write ``docs/histories.md`` from the declarations; with ``--check``, fail when it is not current."""

from __future__ import annotations

import sys
from pathlib import Path

from histories.codes import attendance_codes, code_set
from histories.tables import TABLES, Table
from histories.terminal import say

PAGE = Path(__file__).parents[1] / "docs" / "histories.md"


def page() -> str:
    """Return the page."""
    parts = [
        "# Histories\n\nGenerated from `histories/tables.py` by `make docs`; do not edit.\n\nA histories folder holds one file per table: "
        "`<table>.parquet`, `.csv`, `.csv.gz`, or a folder `<table>/*.parquet`. Dates are ISO. As of a day D a row is visible if it was "
        "recorded strictly before D, and the end of a spell if that was (`docs/decisions/0001-ends-are-known-late.md`).\n"
    ]
    parts += [_table(t) for t in TABLES.values()]
    parts.append("## Codes\n")
    named = sorted({c.codes for t in TABLES.values() for c in t.columns.values() if c.codes})
    for name in named:
        parts.append(
            f"### {name}\n\n" + "\n".join(f"- `{k}` {v}{_dates(name, k)}" for k, v in code_set(name).items()) + "\n"
        )
    return "\n".join(parts)


def _dates(name: str, code: str) -> str:
    if name != "attendance":
        return ""
    c = attendance_codes()[code]
    since, until = (f", since {c.since}" if c.since else ""), (f", until {c.until}" if c.until else "")
    return f" ({c.counts_as.replace('_', ' ')}{since}{until})"


def _table(t: type[Table]) -> str:
    doc = (t.__doc__ or "").strip()
    need = "required" if t.required else "may be absent; then its features are missing, never zero"
    known = "always known" if t.always_known else "known on the first of " + ", ".join(f"`{k}`" for k in t.known)
    known += f" ({t.known_delay} days after it)" if t.known_delay else ""
    rows = "\n".join(
        f"| `{c.name}` | {c.kind} | {'yes' if c.required else ''} | {c.meaning}{f' (codes: {c.codes})' if c.codes else ''} |"
        for c in t.columns.values()
    )
    return f"## {t.table}\n\n{doc} {need.capitalize()}; {known}. Key: {', '.join(f'`{k}`' for k in t.key)}.\n\n| column | type | required | meaning |\n|---|---|---|---|\n{rows}\n"


def write(file: Path, text: str) -> int:
    """Write a page, or with ``--check`` say whether it is current; return the exit code."""
    if "--check" in sys.argv:
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            say(f"{file.name} is not current: run 'make docs' and commit it")
            return 1
        return 0
    file.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(write(PAGE, page()))
