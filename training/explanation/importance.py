"""How much of a model rests on each feature, from the model alone: no child's record is needed to say it.

For trees the share of the gain of all splits; for a ridge regression the share of the span of all terms, each from its lowest to its
highest value; for a mean of both the mean of their shares, by the weights of the mean.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from training.bundle import Manifest
from training.explanation.linear_terms import LinearTerms


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
    """Sum the gain of each feature's splits, from the lines of LightGBM's text."""
    names: list[str] = []
    split: list[str] = []
    gains: defaultdict[str, float] = defaultdict(float)
    for line in booster.splitlines():
        key, _, values = line.partition("=")
        if key == "feature_names":
            names = values.split()
        elif key == "split_feature":
            split = values.split()
        elif key == "split_gain":
            for feature, gain in zip(split, values.split(), strict=True):
                gains[names[int(feature)]] += float(gain)
    return gains


def _spans(manifest: Manifest) -> Mapping[str, float]:
    terms = LinearTerms.read(manifest.ridge, manifest.features)
    return {name: terms.span(j) for j, name in enumerate(manifest.features)}
