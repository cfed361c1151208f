"""Papers: sections of declared fields, each filled from the run or the authority's facts, or reported as not provided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PaperTable:
    """Rows of a table in a paper."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


# Text, a list of texts or a table; empty values count as not provided.
Value = str | list[str] | PaperTable | None


@dataclass(frozen=True)
class Field:
    """One mandatory field of a paper.

    Attributes
    ----------
    key, title : str
    fact : str
        The key of the authority's fact that fills it; empty if the run does.
    do : str
        How to provide a value that the run lacks.
    """

    key: str
    title: str
    fact: str = ""
    do: str = "train again with this version of onroll"

    @property
    def how(self) -> str:
        """How to provide the value."""
        return f"set {self.fact} in the file named by ONROLL_AUTHORITY_FACTS" if self.fact else self.do


@dataclass(frozen=True)
class Section:
    """Fields under one heading."""

    key: str
    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Form:
    """A kind of paper: its headings and fields, all mandatory."""

    name: str
    title: str
    source: str
    sections: tuple[Section, ...]

    @property
    def keys(self) -> list[str]:
        """``section.field`` of every field, in order."""
        return [f"{s.key}.{f.key}" for s in self.sections for f in s.fields]


@dataclass(frozen=True)
class Paper:
    """A form with its values.

    Attributes
    ----------
    values : mapping
        By ``section.field``.
    """

    form: Form
    subject: str
    values: Mapping[str, Value]

    def to_dict(self) -> dict[str, Any]:
        """Return the paper as JSON-ready data; an empty field says how to provide its value."""
        return {
            "paper": self.form.name,
            "title": self.form.title,
            "subject": self.subject,
            "source": self.form.source,
            "sections": [
                {"key": s.key, "title": s.title, "fields": [self._field(s, f) for f in s.fields]}
                for s in self.form.sections
            ],
        }

    def _field(self, section: Section, field: Field) -> dict[str, Any]:
        value = self.values.get(f"{section.key}.{field.key}")
        entry = {"key": field.key, "title": field.title, "mandatory": True}
        if is_empty(value):
            return {**entry, "value": None, "not_provided": field.how}
        if isinstance(value, PaperTable):
            return {**entry, "value": {"headers": list(value.headers), "rows": [list(r) for r in value.rows]}}
        return {**entry, "value": value}


def is_empty(value: Any) -> bool:
    """Return whether a field's value, or its JSON form, is empty."""
    if isinstance(value, PaperTable):
        return is_empty(value.rows)
    if isinstance(value, Mapping):
        return is_empty(value.get("rows"))
    if isinstance(value, (list, tuple)):
        return all(is_empty(v) for v in value)
    return not isinstance(value, str) or not value.strip() or value.strip().lower().startswith("not provided")
