"""A model that cannot be reproduced cannot be explained later, when somebody asks why a child was on a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.gates.gate import Dossier, Gate, GateFinding, Missing
from training.provenance import task_of

HASHES = ("histories", "catalogue", "code")
PARTS = ("config", "released", "packages", "python", "machine", "engine")


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Check that the recipe is complete and belongs to this model."""
    required = "histories, catalogue, code, versions, settings, seed and task of this model"
    for name in (*HASHES, *PARTS):
        dossier.take("recipe", name)
    dossier.number("recipe", "seed")
    task = task_of(dossier.take("recipe"))
    if not task.definition.title or not task.definition.source:
        raise Missing("recipe, question, definition")
    for name, other in (("histories", "data_digest"), ("catalogue", "catalogue_digest"), ("seed", "seed")):
        if dossier.take("recipe", name) != dossier.take("manifest", other):
            return GateFinding(False, f"the recipe's {name} is not the model's", required)
    return GateFinding(
        True, f"{len(HASHES)} hashes, {len(dossier.take('recipe', 'packages'))} versions and the task", required
    )


GATE = Gate(
    code="G011",
    title="the model's recipe is complete",
    reason=__doc__,
    do="Train again with this version of onroll, which writes the recipe.",
    check=check,
)
