"""Real returns become histories: each format is a small declared mapping."""

from histories.returns.reading import Report, Return, import_return
from histories.returns.school_census import SCHOOL_CENSUS

FORMATS: dict[str, Return] = {SCHOOL_CENSUS.name: SCHOOL_CENSUS}

__all__ = ["FORMATS", "Report", "Return", "import_return"]
