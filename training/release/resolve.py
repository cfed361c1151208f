"""Find a released model by name and alias, without MLflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from training.release.promotion_log import entries

ALIASES = "aliases.json"
MOVES = "promotions.jsonl"


def aliases(releases: Path, name: str) -> dict[str, int]:
    """Return the version that each alias of a model names; empty when there is none."""
    file = releases / name / ALIASES
    if not file.is_file():
        return {}
    return json.loads(file.read_text(encoding="utf-8"))


def logged(releases: Path, name: str) -> list[dict[str, Any]]:
    """Return every line of a model's log, oldest first; those that move an alias name it."""
    return entries(releases / name / MOVES)


def moves(releases: Path, name: str) -> list[dict[str, Any]]:
    """Return every move of an alias of a model, oldest first."""
    return [line for line in logged(releases, name) if line.get("alias")]


def resolve(model: str, releases: Path) -> Path:
    """Return the folder of ``name@alias``, or of a path.

    Raises
    ------
    Faults
        When there is no such model.
    """
    if "@" not in model:
        if (Path(model) / "manifest.json").is_file():
            return Path(model)
        raise Faults(
            Fault(
                "there is no such model",
                model,
                "Name a model as name@alias, such as onroll@champion, or a model folder.",
            )
        )
    name, alias = model.split("@", 1)
    version = aliases(releases, name).get(alias)
    if version is None:
        do = "Run 'onroll train' first, or 'onroll models list' to see what there is."
        raise Faults(Fault("there is no such model", f"{model} in {releases}", do))
    return releases / name / f"v{version}"
