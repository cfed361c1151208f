"""Who signs for a model, and who asks about it later, reads its papers: a heading without words under it says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding
from training.papers import empty_fields
from training.papers.forms import DEEPER, FORMS

FACTS = {f"{form.name}.{s.key}.{f.key}" for form in FORMS for s in form.sections for f in s.fields if f.fact}
DEEP = {f"{form.name}.{s.key}.{f.key}" for form in FORMS for s in form.sections for f in s.fields if f.do == DEEPER}


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """See that no mandatory field of any paper is empty; what only the authority, or only the long report, can say is asked for by the limits."""
    excused = (set() if limits["facts"] else FACTS) | (set() if limits["report"] else DEEP)
    empty = empty_fields(dossier.take("papers"))
    bad = [name for name in empty if name not in excused]
    also = [
        measured
        for name, measured in (("facts", "the authority's facts"), ("report", "the long report's groups"))
        if limits[name]
    ]
    required = " and ".join(["all that the run can say", *also])
    if bad:
        return GateFinding(False, f"{len(bad)} fields are empty ({', '.join(bad[:5])})", required)
    return GateFinding(True, f"nothing of it is empty; {len(empty)} fields that were not asked for are", required)


GATE = Gate(
    code="G006",
    title="model card, transparency record and annex are complete",
    reason=__doc__,
    do="Say the authority's facts (ONROLL_AUTHORITY_FACTS, docs/authority.yaml), and train again, with --report.",
    check=check,
)
