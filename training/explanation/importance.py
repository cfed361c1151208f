"""How much of a model rests on each feature, from the model alone: no child's record is needed to say it.

For trees the share of the gain of all splits; for a ridge regression the share of the span of all terms, each from its lowest to its
highest value; for a mean of both the mean of their shares, by the weights of the mean.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from training.bundle import Manifest
from training.explanation.linear_terms import LinearTerms
from training.explanation.trees import read_forest


def importance(booster: str, manifest: Manifest) -> dict[str, float]:
    """Return each feature's share, largest first; the shares sum to 1, or are none if the model uses no feature.

    Parameters
    ----------
    booster : str
        LightGBM's text; empty for a ridge regression alone.
    """
    by_part = {part: _spans(manifest) if part == "ridge" else _gains(booster) for part in manifest.parts}
    total: defaultdict[str, float] = defaultdict(float)
    for part, sizes in by_part.items():
        whole = sum(sizes.values())
        for name, size in sizes.items() if whole else ():
            total[name] += manifest.parts[part] * size / whole
    return {name: share for name, share in sorted(total.items(), key=lambda item: -item[1]) if share > 0}


def _gains(booster: str) -> Mapping[str, float]:
    """Sum the gain of each feature's splits."""
    forest = read_forest(booster)
    totals = np.bincount(forest.feature, weights=forest.gain, minlength=len(forest.features))
    return {name: float(gain) for name, gain in zip(forest.features, totals, strict=True)}


def _spans(manifest: Manifest) -> Mapping[str, float]:
    terms = LinearTerms.read(manifest.ridge, manifest.features)
    return {name: terms.span(j) for j, name in enumerate(manifest.features)}
