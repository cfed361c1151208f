"""What a paper is: sections of declared fields, each filled from the run or from the authority's facts, or said not to be provided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PaperTable:
    """Rows of a table in a paper."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


# Text, a list of texts, a table; what is empty was not provided.
Value = str | list[str] | PaperTable | None


@dataclass(frozen=True)
class Field:
    """One field that a paper must hold.

    Attributes
    ----------
    key, title : str
    fact : str
        The key of the authority's facts that fills it; empty when the run does.
    do : str
        What to do when the run has nothing to say here.
    """

    key: str
    title: str
    fact: str = ""
    do: str = "train again with this version of onroll"

    @property
    def how(self) -> str:
        """What to do for it to be provided."""
        return f"say {self.fact} in the file that ONROLL_AUTHORITY_FACTS names" if self.fact else self.do


@dataclass(frozen=True)
class Section:
    """Fields under one heading."""

    key: str
    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Form:
    """A kind of paper: its headings and fields, all of them mandatory."""

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
    """A form with what fills it.

    Attributes
    ----------
    values : mapping
        By ``section.field``.
    """

    form: Form
    subject: str
    values: Mapping[str, Value]

    def to_dict(self) -> dict[str, Any]:
        """Return the paper ready for JSON; a field that is empty has no value and says what to do."""
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
        said = {"key": field.key, "title": field.title, "mandatory": True}
        if is_empty(value):
            return {**said, "value": None, "not_provided": field.how}
        if isinstance(value, PaperTable):
            return {**said, "value": {"headers": list(value.headers), "rows": [list(r) for r in value.rows]}}
        return {**said, "value": value}


def is_empty(value: Any) -> bool:
    """Tell whether a field's value, or the same as read from JSON, says nothing."""
    if isinstance(value, PaperTable):
        return is_empty(value.rows)
    if isinstance(value, Mapping):
        return is_empty(value.get("rows"))
    if isinstance(value, (list, tuple)):
        return all(is_empty(v) for v in value)
    return not isinstance(value, str) or not value.strip() or value.strip().lower().startswith("not provided")
