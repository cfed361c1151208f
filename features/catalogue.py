"""The catalogue: every feature of every theme in a fixed order, followed by a user's own features once they are loaded.

Importing this module reads no settings and runs no user code; ``features.own_features_trial.load_own_features`` adds own features.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from features.counting.peers import AT_HOME, SUMMED
from features.counting.tallies import parts
from features.feature import Feature, Tally
from features.own_features import OwnFeatures
from features.themes import (
    attendance,
    behaviour,
    data_quality,
    family,
    home,
    lasting_absence,
    moves,
    needs,
    pupil,
    school,
    silence,
    transition,
)

AROUND = (
    "school",
    "la",
    "area",
    "kind",
)  # of whom sums over other children are columns, by the beginning of their names


@dataclass(frozen=True, kw_only=True, eq=False)
class Catalogue:
    """The features that a process computes, and the tallies that they are computed from.

    Attributes
    ----------
    features : tuple of Feature
        In the order of the matrix.
    tallies : dict
        ``{name: Tally}``.
    themes : dict
        ``{name: title}``.
    own_features : OwnFeatures
        What a user's file added; empty without one.
    """

    features: tuple[Feature, ...]
    tallies: dict[str, Tally]
    themes: dict[str, str]
    own_features: OwnFeatures = field(default_factory=OwnFeatures)

    def with_own_features(self, own_features: OwnFeatures) -> Catalogue:
        """Return this catalogue followed by a user's own features."""
        return Catalogue(
            features=self.features + own_features.features,
            tallies={**self.tallies, **own_features.tallies},
            themes={**self.themes, **own_features.themes},
            own_features=own_features,
        )

    @cached_property
    def by_name(self) -> dict[str, Feature]:
        """Each feature by its name."""
        return {f.name: f for f in self.features}

    @property
    def names(self) -> list[str]:
        """The names of the features, in order."""
        return list(self.by_name)

    def declarations(self) -> list[dict[str, Any]]:
        """Return each feature without its expression, ready for JSON; own features also carry the digest of their file."""
        return [
            {**_declaration(f), **({"own_file": self.own_features.digest} if f in self.own_features.features else {})}
            for f in self.features
        ]

    def feature_digest(self, name: str, declaration: Mapping[str, Any] | None = None) -> str:
        """Return a hash of a feature's declaration, its expression and everything that the expression counts.

        Parameters
        ----------
        declaration : mapping, optional
            An earlier declaration of the feature, whose wording replaces the present one; its sources do not.
        """
        present = _declaration(self.by_name[name])
        declared = {**(declaration or present), "sources": present["sources"]}
        declared.pop("own_file", None)
        return self._digest(name, declared)

    def feature_digests(self, names: Iterable[str]) -> dict[str, str]:
        """Return ``{name: digest}`` of some features."""
        return {name: self.feature_digest(name) for name in names}

    @cached_property
    def digest(self) -> str:
        """A hash of every feature, in order, and of the file of own features."""
        digests = [self._digest(d["name"], d) for d in self.declarations()]
        return hashlib.sha256(json.dumps([digests, self.own_features.digest]).encode()).hexdigest()

    def _digest(self, name: str, declared: Mapping[str, Any]) -> str:
        feature = self.by_name[name]
        expression = repr(feature.expression())  # the repr of a Narwhals expression is complete
        # A model made before a feature could be missing loads: its booster takes a missing value as zero, its ridge as the mean.
        if feature.known_if and declared.get("missing"):
            expression += repr(feature.known_if())
        counts = self._counts
        reads = sorted((word, counts[word]) for word in set(re.findall(r"\w+", expression)) & counts.keys())
        return hashlib.sha256(json.dumps([declared, expression, reads], sort_keys=True).encode()).hexdigest()

    @cached_property
    def of_others(self) -> frozenset[str]:
        """The features that count other children only: those at the same school, in the same area or at the same address."""
        around = {f"{where}_{c}" for where in AROUND for c in SUMMED} | {*AT_HOME.values()}
        own = {c for part in parts(self.tallies) for c in part.columns} - around
        reads = {f.name: set(re.findall(r"\w+", repr(f.expression()))) for f in self.features}
        return frozenset(name for name, columns in reads.items() if columns & around and not columns & own)

    @cached_property
    def _counts(self) -> dict[str, str]:
        """The digest of every column that features are computed from; a sum over other children has the digest of its tally."""
        columns = {c: d for part in parts(self.tallies) for c, d in part.columns.items()}
        around = {f"{where}_{c}": columns[c] for where in AROUND for c in SUMMED}
        return {**columns, **around, **{n: columns[c] for c, n in AT_HOME.items() if c in columns}}


def _declaration(feature: Feature) -> dict[str, Any]:
    return {
        "name": feature.name,
        "theme": feature.theme,
        "raises": feature.text(True),
        "lowers": feature.text(False),
        "sources": list(feature.sources),
        "window": feature.window,
        "direction": feature.direction,
        "role": feature.role,
        "unit": feature.unit,
        "missing": feature.missing,
    }


_FILES = (
    attendance,
    lasting_absence,
    silence,
    moves,
    transition,
    behaviour,
    needs,
    family,
    home,
    school,
    pupil,
    data_quality,
)
SHIPPED = Catalogue(
    features=tuple(f for file in _FILES for f in file.FEATURES),
    tallies={name: tally for file in _FILES for name, tally in file.TALLIES.items()},
    themes={
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
    },
)
_installed = SHIPPED


def catalogue() -> Catalogue:
    """Return the catalogue of this process."""
    return _installed


def install(chosen: Catalogue) -> None:
    """Use a catalogue in this process from now on."""
    global _installed
    _installed = chosen
