"""Render papers as Markdown, HTML and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from histories.io.html import render
from training.papers.paper import Paper

FOLDER = Path(__file__).parent
STEMS = {"model_card": "card", "atrs": "atrs", "dpia": "dpia"}


def files(papers: Mapping[str, Paper]) -> dict[str, str]:
    """Return every paper in every format by file name: ``card.md``, ``card.html``, ``card.json``, ``atrs.md`` and so on."""
    texts = {}
    for name, paper in papers.items():
        data, stem = paper.to_dict(), STEMS[name]
        texts[f"{stem}.md"] = markdown(data)
        texts[f"{stem}.html"] = page("paper.html", paper=data)
        texts[f"{stem}.json"] = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    return texts


def page(template: str, **values: Any) -> str:
    """Render an HTML template; all values are escaped."""
    return render(FOLDER / template, **values)


def markdown(data: Mapping[str, Any]) -> str:
    """Return a paper as Markdown; values are escaped."""
    lines = [f"# {_plain(data['title'])}: {_plain(data['subject'])}", "", _plain(data["source"]), ""]
    for section in data["sections"]:
        lines += [f"## {_plain(section['title'])}", ""]
        for field in section["fields"]:
            lines += [f"### {_plain(field['title'])}", "", *_value(field), ""]
    return "\n".join(lines)


def _value(field: Mapping[str, Any]) -> list[str]:
    value = field["value"]
    if value is None:
        return [f"not provided: {_plain(field['not_provided'])}"]
    if isinstance(value, list):
        return [f"- {_plain(v)}" for v in value]
    if isinstance(value, dict):
        rows = [value["headers"], ["---"] * len(value["headers"]), *value["rows"]]
        return [
            f"| {' | '.join(_plain(c) if n != 1 else c for c in row)} |" for n, row in enumerate(rows)
        ]  # the second row is the rule
    return [_plain(value)]


def _plain(text: str) -> str:
    """Return text on one line, with the special characters of Markdown and HTML escaped."""
    line = " ".join(str(text).split())
    for mark in "\\`*_[]<>|#":
        line = line.replace(mark, f"\\{mark}")
    return line
