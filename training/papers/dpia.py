"""The annex to the data protection impact assessment: the values that come from the run."""

from __future__ import annotations

from histories.tables import TABLES
from training.papers.material import Material
from training.papers.model_card import OUT_OF_SCOPE
from training.papers.paper import PaperTable, Value
from training.papers.tables import columns, features, tables_used
from training.papers.used import JUDGED_ONLY, UNUSED, counted, protected_groups, use_of

MEASURES = [
    "Pupils are identified by the authority's own key or a keyed pseudonym; histories hold no names or addresses.",
    "A feature is a count, a rate or a duration; free text is not read.",
    "The model holds the numbers of its trees and no child's row; MLflow receives only settings, figures and papers.",
    "In every printed table, counts of 7 or fewer are hidden and the others are rounded to 5.",
    "Scores, actions and access records are kept for the periods in the retention file, then removed by onroll retention.",
]


def values(m: Material) -> dict[str, Value]:
    """Return the annex's values by ``section.field``, except those from the authority's facts."""
    tables = [t.name for t in m.tables]
    special = [t for t in ("sen", "social_care") if t in tables]
    groups = tuple(
        (title, table, "judging only" if table in JUDGED_ONLY else "evaluation; the table also supplies features")
        for title, table in protected_groups(tables)
    )
    return {
        "purpose.purpose": f"To learn which children went missing from education ({m.task.definition.title}), and to rank children on rolls by their risk of it within {m.manifest.horizon_days} days, so that people can help early.",
        "purpose.not_for": OUT_OF_SCOPE,
        "people.children": _children(m) if m.manifest.trained_on else None,
        "people.special_categories": f"Records of {' and '.join(special)} concern health and family life. "
        * bool(special)
        + "Ethnicity is used for evaluation only."
        if tables
        else None,
        "tables.given": tables_used(m),
        "tables.columns": columns(m),
        "features.features": features(m),
        "minimisation.not_used": unused(m),
        "minimisation.measures": MEASURES,
        "protected.judging_only": PaperTable(("group", "known from", "used for"), groups) if groups else None,
    }


def _children(m: Material) -> str:
    whole, later = m.manifest.whole_days, m.manifest.part_days
    text = f"{counted(m.children)} children of {m.authorities} authorities, on a roll on at least one of {len(whole)} days."
    more = f"Of {len(later)} later days a part of the window was known and learned from; children on a roll on those days only are not counted."
    return f"{text} {more}" if later and not m.manifest.parent else text


def unused(m: Material) -> list[str] | None:
    """Return the columns that are present but unused, and so need not be sent."""
    if not m.tables:
        return None
    by_table = {t.name: [c for c in TABLES[t.name].columns if use_of(t.name, c) == UNUSED] for t in m.tables}
    return [f"{name}: {', '.join(c)}" for name, c in by_table.items() if c] or ["Nothing: every column is used."]
