"""The papers of a run: model card, transparency record and annex to the impact assessment, as Markdown, HTML and JSON."""

from __future__ import annotations

from training.papers.authority import Authority
from training.papers.complete import empty_fields
from training.papers.material import Material
from training.papers.paper import Paper
from training.papers.written import card_in_short, files_of, write

__all__ = ["Authority", "Material", "Paper", "card_in_short", "empty_fields", "files_of", "write"]
