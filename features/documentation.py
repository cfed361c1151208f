"""Write ``docs/features.md`` from the catalogue and the definitions; with ``--check``, fail when it is not current."""

from __future__ import annotations

import sys
from pathlib import Path

from features.catalogue import CATALOGUE, THEMES
from features.definition import Definition
from histories.documentation import write

PAGE = Path(__file__).parents[1] / "docs" / "features.md"
DIRECTION = {1: "more can only raise the risk", -1: "more can only lower the risk", 0: "free"}


def page() -> str:
    """Return the page."""
    parts = [
        f"# Features\n\nGenerated from `features/themes/` by `make docs`; do not edit. {len(CATALOGUE)} features; ethnicity, sex, language, "
        "religion and free school meals are never features. A feature is missing, never zero, when one of its tables is absent.\n"
    ]
    for theme, title in THEMES.items():
        rows = "\n".join(
            f"| `{f.name}` | {f.raises} | {', '.join(f.sources)} | {f.window or ''} | {DIRECTION[f.direction]} | {f.role.replace('_', ' ')} |"
            for f in CATALOGUE
            if f.theme == theme
        )
        parts.append(
            f"## {title}\n\n| feature | said when it raises a score | tables | days | direction | shown as |\n|---|---|---|---|---|---|\n{rows}\n"
        )
    parts.append("# Definitions of missing\n")
    for name in Definition.shipped():
        d = Definition.load(name)
        parts.append(f"## `{name}`\n\n{d.title}. {d.text}\n\nSource: {d.source}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(write(PAGE, page()))
