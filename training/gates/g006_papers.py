"""People who sign off a model, or ask about it later, read its papers. An empty heading does not inform them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding
from training.papers import empty_fields
from training.papers.forms import DEEPER, FORMS

FACTS = {f"{form.name}.{s.key}.{f.key}" for form in FORMS for s in form.sections for f in s.fields if f.fact}
DEEP = {f"{form.name}.{s.key}.{f.key}" for form in FORMS for s in form.sections for f in s.fields if f.do == DEEPER}


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Check that no mandatory field is empty; the limits say whether the authority's facts and the extended report are required."""
    excused = (set() if limits["facts"] else FACTS) | (set() if limits["report"] else DEEP)
    empty = empty_fields(dossier.take("papers"))
    bad = [name for name in empty if name not in excused]
    also = [
        measured
        for name, measured in (("facts", "the authority's facts"), ("report", "the extended report's groups"))
        if limits[name]
    ]
    required = " and ".join(["every field that the run fills", *also])
    if bad:
        return GateFinding(False, f"{len(bad)} fields are empty ({', '.join(bad[:5])})", required)
    return GateFinding(True, f"none of these is empty; {len(empty)} optional fields are", required)


GATE = Gate(
    code="G006",
    title="model card, transparency record and annex are complete",
    reason=__doc__,
    do="Supply the authority's facts (ONROLL_AUTHORITY_FACTS, docs/authority.yaml) and train again with --report.",
    check=check,
)
