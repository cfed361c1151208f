"""Whether papers are complete: which mandatory fields of which paper say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.papers.forms import FORMS
from training.papers.paper import is_empty


def empty_fields(papers: Mapping[str, Any]) -> list[str]:
    """Return the mandatory fields that are empty, as ``paper.section.field``, in the order of the papers.

    What is mandatory is declared in ``forms`` and not read from the papers, so that a paper, a section or a field that was left out is named
    like one that is empty.

    Parameters
    ----------
    papers : mapping
        The papers as JSON has them (``Paper.to_dict``), by name: ``model_card``, ``atrs``, ``dpia``.
    """
    return [
        f"{form.name}.{key}" for form in FORMS for key in form.keys if is_empty(_values(papers, form.name).get(key))
    ]


def _values(papers: Mapping[str, Any], name: str) -> dict[str, Any]:
    paper = papers.get(name)
    sections = paper.get("sections") if isinstance(paper, Mapping) else None
    found = {}
    for section in sections if isinstance(sections, list) else []:
        for field in section.get("fields", []):
            found[f"{section.get('key')}.{field.get('key')}"] = field.get("value")
    return found
