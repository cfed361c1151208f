"""A section of the report: text, pictures and tables."""

from __future__ import annotations

from dataclasses import dataclass, field

from training.papers.paper import PaperTable
from training.papers.pictures import Picture


@dataclass(frozen=True, kw_only=True)
class ReportSection:
    """The content under one heading; ``tables`` with captions, ``points`` as a list."""

    title: str
    text: list[str]
    pictures: list[Picture] = field(default_factory=list)
    tables: list[tuple[str, PaperTable]] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
