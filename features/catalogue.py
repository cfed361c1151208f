"""The catalogue: every feature of every theme, in one order that models rely on."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from features.feature import Feature, Tally
from features.themes import (
    attendance,
    behaviour,
    data_quality,
    family,
    home,
    moves,
    needs,
    pupil,
    school,
    transition,
)

THEMES = {
    "attendance": "Attendance",
    "moves": "Moves between schools",
    "transition": "Moving to secondary school",
    "behaviour": "Suspensions and exclusions",
    "needs": "Additional needs",
    "family": "Family and social care",
    "home": "Home and area",
    "school": "The school",
    "pupil": "About the pupil",
    "data_quality": "What is recorded",
}
_FILES = (attendance, moves, transition, behaviour, needs, family, home, school, pupil, data_quality)
CATALOGUE: tuple[Feature, ...] = tuple(f for file in _FILES for f in file.FEATURES)
TALLIES: dict[str, Tally] = {name: tally for file in _FILES for name, tally in file.TALLIES.items()}
BY_NAME: dict[str, Feature] = {f.name: f for f in CATALOGUE}


def declarations() -> list[dict[str, Any]]:
    """Return what a reader or a model needs of each feature, without its expression."""
    return [
        {
            "name": f.name, "theme": f.theme, "raises": f.raises, "lowers": f.lowers, "sources": list(f.sources), "window": f.window,
            "direction": f.direction, "role": f.role, "unit": f.unit,
        }
        for f in CATALOGUE
    ]  # fmt: skip


def catalogue_digest() -> str:
    """Return a hash of all declarations."""
    return hashlib.sha256(json.dumps(declarations(), sort_keys=True).encode()).hexdigest()
