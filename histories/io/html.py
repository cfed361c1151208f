"""Render HTML from Jinja templates."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from histories.calendar import london_minute

# Characters that are not seen and change how what stands around them is read: controls, and marks that turn the direction of text.
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def seen(value: Any) -> Any:
    """Return a value as HTML may show it: text without characters that are not seen and turn the text around them.

    A name or a note could otherwise make a page say something else than it holds. Letters that are written from right to left turn by themselves.
    """
    if isinstance(value, str) and UNSEEN.search(value):
        return type(value)(UNSEEN.sub("", value))
    return value


def render(template: Path, **values: Any) -> str:
    """Render a template, which may include others in its folder; all values are escaped, and a missing one is an error.

    Its filter ``london_minute`` writes moments as people in England read them.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["london_minute"] = london_minute
    return environment.get_template(template.name).render(**values)
