"""Describe features: ``docs/features.md`` and its example sentences (``--check`` fails if either is out of date), ``--list`` and ``--explain``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from features.catalogue import SHIPPED, catalogue
from features.examples import FILE, computed_sentences, example_of_side
from features.feature import Feature
from features.outcome.definition import Definition
from features.specs import SPECS, specs_of
from features.specs.spec import BORN, ROLL, Spec, aligned
from histories.errors import Fault, Usage
from histories.table_docs import write

PAGE = Path(__file__).parents[1] / "docs" / "features.md"
DIRECTION = {1: "more can only raise the risk", -1: "more can only lower the risk", 0: "free"}
HEAD = f"""# Features

Generated from `features/themes/` and `features/specs/` by `make docs`; do not edit. There are {{count}} features. Ethnicity, sex, language, religion and
free school meals are never features. `onroll features --explain NAME` describes one feature; for features of your own see `own-features.md`.

A feature is missing, never zero, when one of its tables is absent; its row says when else it can be missing. Sentences show the values of an example.

An example gives rows of histories, as-of dates, and the values that must come out; an empty value is missing. Unless an example says otherwise, a child was born on
{BORN} (Year 6) and has been on the roll of school 1 since {ROLL}. Where `recorded_on` is empty, the rule of the table says when the row was recorded.
Every example runs as a test on every engine.
"""


def facts(f: Feature) -> dict[str, str]:
    """Return a feature's declaration in words, with example values in its sentences."""
    return {
        "sentence where it raises a score": example_of_side(f, raises=True),
        "sentence where it lowers a score": example_of_side(f, raises=False),
        "tables": ", ".join(f.sources),
        "days": str(f.window or ""),
        "direction": DIRECTION[f.direction],
        "shown as": f.role.replace("_", " "),
        "unit": f.unit,
        "missing when": f.missing or "never",
    }


def page() -> str:
    """Return the page of the shipped features."""
    parts = [HEAD.format(count=len(SHIPPED.features))]
    for theme, title in SHIPPED.themes.items():
        rows = {f.name: facts(f) for f in SHIPPED.features if f.theme == theme}
        heads = [h for h in next(iter(rows.values())) if h != "sentence where it lowers a score"]
        lines = "\n".join(f"| `{name}` | " + " | ".join(row[h] for h in heads) + " |" for name, row in rows.items())
        parts.append(f"## {title}\n\n| feature | {' | '.join(heads)} |\n{'|---' * (len(heads) + 1)}|\n{lines}\n")
        parts += [_folded(s) for s in SPECS if SHIPPED.by_name[s.features[0]].theme == theme]
    parts.append("# Definitions of missing\n")
    for name in Definition.shipped():
        d = Definition.load(name)
        parts.append(f"## `{name}`\n\n{d.title}. {d.text}\n\nSource: {d.source}\n")
    return "\n".join(parts)


def _folded(spec: Spec) -> str:
    about = ", ".join(f"<code>{n}</code>" for n in spec.features)
    return f"<details><summary>Example: {about}</summary>\n\n{spec.says}\n\n```\n{example(spec, spec.features)}\n```\n\n</details>\n"


def example(spec: Spec, features: Sequence[str]) -> str:
    """Return the tables of an example and the values of some of its features, as aligned text."""
    parts = [f"{table}\n{_laid_out(*aligned(text))}" for table, text in spec.tables.items()]
    heads, rows = aligned(spec.expect)
    kept = [i for i, h in enumerate(heads) if h in ("as_of", "pupil_id", *features)]
    parts.append(f"must give\n{_laid_out([heads[i] for i in kept], [[r[i] for i in kept] for r in rows])}")
    return "\n\n".join(parts)


def _laid_out(heads: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(line[i]) for line in (heads, *rows)) for i in range(len(heads))]
    return "\n".join(
        ("  " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True))).rstrip() for line in (heads, *rows)
    )


def listed() -> str:
    """Return the catalogue as text, one line for each feature."""
    return "\n".join(
        f"{f.name:32} {f.theme:13} {f.role:12} {', '.join(f.sources):24} {DIRECTION[f.direction]:29} {example_of_side(f, raises=True) or example_of_side(f, raises=False)}"
        for f in catalogue().features
    )


def explained(name: str) -> tuple[dict[str, Any], str]:
    """Return a feature's declaration with its examples, as data and as text.

    Raises
    ------
    Usage
        When there is no such feature.
    """
    if name not in catalogue().by_name:
        near = get_close_matches(name, catalogue().by_name, 3, 0.5)
        do = f"Did you mean {' or '.join(near)}?" if near else "`onroll features --list` lists all features."
        raise Usage(Fault("there is no such feature", "features --explain", do))
    f, specs = catalogue().by_name[name], specs_of(name)
    declared = next(d for d in catalogue().declarations() if d["name"] == name)
    examples = [{"says": s.says, "text": example(s, [name])} for s in specs]
    rows = {"feature": name, "theme": catalogue().themes[f.theme], **facts(f)}
    text = "\n".join(f"{head:32} {cell}" for head, cell in rows.items() if cell)
    text += "".join(f"\n\n{e['says']}\n\n{e['text']}" for e in examples)
    return {**declared, "missing_without": list(f.sources), "examples": examples}, text


if __name__ == "__main__":
    stale_sentences = write(FILE, computed_sentences())  # first, since the page shows them
    sys.exit(max(stale_sentences, write(PAGE, page())))
