"""Reasons say that more absence raises the risk. A model in which absence also lowers it cannot be explained to a parent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from features.catalogue import catalogue
from histories.errors import Faults
from training.bundle import BOOSTER_ALONE, PARTS
from training.catalogue_match import changed_features
from training.explanation.linear_terms import LinearTerms
from training.explanation.trees import Forest, read_forest
from training.gates.gate import Dossier, Gate, GateFinding


def check(dossier: Dossier, limits: Mapping[str, Any]) -> GateFinding:
    """Follow every split on a feature with a declared direction, and look at every slope of one.

    Every leaf on the higher side of a split must lie on the declared side; a slope must not have the other sign on any piece.
    """
    every = "no split or coefficient against a declared direction"
    changed = changed_features(
        features=dossier.take("manifest", "features"),
        declarations=dossier.take("manifest", "catalogue"),
        catalogue_digest=dossier.take("manifest", "catalogue_digest"),
        feature_digests=dossier.take("manifest").get("feature_digests") or {},
    )
    if changed:
        return GateFinding(False, f"trained with another catalogue of features ({', '.join(changed[:5])})", every)
    parts = PARTS.get(str(dossier.take("manifest", "candidate")), BOOSTER_ALONE)
    findings = []
    try:
        if "ridge" in parts:
            findings.append(_of_ridge(dossier))
        if "booster" in parts:
            findings.append(_of_booster(dossier))
    except Faults as faults:
        return GateFinding(False, f"the model cannot be read: {faults.faults[0].what}", every)
    return GateFinding(all(holds for holds, _ in findings), "; ".join(measured for _, measured in findings), every)


def _directions(features: list[str]) -> np.ndarray:
    by_name = catalogue().by_name
    return np.array([by_name[n].direction if n in by_name else 0 for n in features])


def _of_ridge(dossier: Dossier) -> tuple[bool, str]:
    features = dossier.take("manifest", "features")
    terms, directions = LinearTerms.read(dossier.take("manifest", "ridge"), features), _directions(features)
    against = [name for j, name in enumerate(features) if (terms.slopes(j) * directions[j] < 0).any()]
    return not against, _measured(len(against), int((directions != 0).sum()), against, "coefficients")


def _of_booster(dossier: Dossier) -> tuple[bool, str]:
    forest = read_forest(dossier.take("booster"))
    directed, against = _against(forest, _directions(forest.features))
    names = sorted({forest.features[f] for f in against})
    return not against and forest.trees > 0, _measured(len(against), directed, names, "splits")


def _measured(against: int, directed: int, names: list[str], what: str) -> str:
    if not names:
        return f"none of {directed} directed {what} goes against its direction"
    return f"{against} of {directed} directed {what} go against theirs ({', '.join(names[:5])})"


def _against(forest: Forest, directions: np.ndarray) -> tuple[int, list[int]]:
    """Return how many splits have a declared direction, and the features of those that break it.

    A model is monotone if each split is: no leaf on the lower side lies above a leaf on the higher side.
    """
    splits, broken = 0, []
    for tree in range(forest.trees):
        start, leaves = forest.node_start[tree], forest.leaf_start[tree]
        ends: dict[int, tuple[float, float]] = {}
        for node in range(int(forest.node_start[tree + 1] - start) - 1, -1, -1):  # children come after their parents
            sides = []
            for child in (int(forest.left[start + node]), int(forest.right[start + node])):
                value = forest.leaf_value[leaves + ~child] if child < 0 else 0.0
                sides.append((float(value), float(value)) if child < 0 else ends[child])
            (low_left, high_left), (low_right, high_right) = sides
            ends[node] = (min(low_left, low_right), max(high_left, high_right))
            feature = int(forest.feature[start + node])
            direction = directions[feature]
            splits += bool(direction)
            if (direction > 0 and high_left > low_right) or (direction < 0 and low_left < high_right):
                broken.append(feature)
    return splits, broken


GATE = Gate(
    code="G005",
    title="the declared directions of features hold in the model",
    reason=__doc__,
    do="Train with 'monotone = true' (the default) in the settings file (--config).",
    check=check,
)
