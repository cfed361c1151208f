"""Check that papers are complete: find mandatory fields without a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.papers.forms import FORMS
from training.papers.paper import is_empty


def empty_fields(papers: Mapping[str, Any]) -> list[str]:
    """Return the empty mandatory fields as ``paper.section.field``, in the order of the papers.

    Mandatory fields are those declared in ``forms``, not those in the papers, so that an absent paper, section or field counts
    as empty.

    Parameters
    ----------
    papers : mapping
        The papers as JSON (``Paper.to_dict``) by name: ``model_card``, ``atrs``, ``dpia``.
    """
    return [
        f"{form.name}.{key}" for form in FORMS for key in form.keys if is_empty(_values(papers, form.name).get(key))
    ]


def _values(papers: Mapping[str, Any], name: str) -> dict[str, Any]:
    paper = papers.get(name)
    sections = paper.get("sections") if isinstance(paper, Mapping) else None
    values = {}
    for section in sections if isinstance(sections, list) else []:
        for field in section.get("fields", []):
            values[f"{section.get('key')}.{field.get('key')}"] = field.get("value")
    return values
