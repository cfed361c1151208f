"""The catalogue: every feature of every theme, in one order that models rely on, and after them those of a user's own.

It is fixed once for a process: the file of own features is the one that the settings name when this module is first imported.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from typing import Any

from features import own_features
from features.counting.peers import AT_HOME, SUMMED
from features.counting.tallies import parts
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
from histories.settings import settings

_SHIPPED = {
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
_FEATURES = tuple(f for file in _FILES for f in file.FEATURES)
_TALLIES: dict[str, Tally] = {name: tally for file in _FILES for name, tally in file.TALLIES.items()}
OWN = own_features.load(settings().features, [f.name for f in _FEATURES], _TALLIES, _SHIPPED)
THEMES = {**_SHIPPED, **OWN.themes}
CATALOGUE: tuple[Feature, ...] = _FEATURES + OWN.features
TALLIES: dict[str, Tally] = {**_TALLIES, **OWN.tallies}
BY_NAME: dict[str, Feature] = {f.name: f for f in CATALOGUE}


def declarations() -> list[dict[str, Any]]:
    """Return what a reader or a model needs of each feature, without its expression; of own ones also their file's digest."""
    return [
        {
            "name": f.name,
            "theme": f.theme,
            "raises": f.raises,
            "lowers": f.lowers,
            "sources": list(f.sources),
            "window": f.window,
            "direction": f.direction,
            "role": f.role,
            "unit": f.unit,
            "missing": f.missing,
            **({"own_file": OWN.digest} if f in OWN.features else {}),
        }
        for f in CATALOGUE
    ]


@cache
def _counted() -> dict[str, str]:
    """Return the digest of every column that features are computed from, by name; a sum has that of what it sums."""
    columns = {c: d for part in parts(TALLIES) for c, d in part.columns.items()}
    around = {f"{where}_{c}": columns[c] for where in ("school", "la", "area") for c in SUMMED}
    return {**columns, **around, **{n: columns[c] for c, n in AT_HOME.items() if c in columns}}


def feature_digest(name: str) -> str:
    """Return a hash of a feature's declaration, its expression and all that the expression counts.

    The expression enters by its text, which for a Narwhals expression says all of it.
    """
    said = repr(BY_NAME[name].expression())
    counts = _counted()
    reads = sorted((word, counts[word]) for word in set(re.findall(r"\w+", said)) & counts.keys())
    declared = next(d for d in declarations() if d["name"] == name)
    return hashlib.sha256(json.dumps([declared, said, reads], sort_keys=True).encode()).hexdigest()


def catalogue_digest() -> str:
    """Return a hash of every feature, in order, and of the file of own features."""
    whole = [feature_digest(f.name) for f in CATALOGUE]
    return hashlib.sha256(json.dumps([whole, OWN.digest]).encode()).hexdigest()
