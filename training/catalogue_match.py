"""Check whether the features a model uses are still computed as they were when it was trained.

Features added since do not matter. Nor do changed sentences: a model explains with the sentences in its manifest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from features.catalogue import catalogue
from histories.errors import Fault, Faults
from training.bundle import Manifest

# Earlier manifests hold one digest of the whole catalogue; this file maps it to the digests of the features.
EARLIER = Path(__file__).with_name("earlier_catalogues.json")
# Digests of features before they were mended such that nothing changes on the days that models learn from: an earlier model scores by the
# mended feature, and needs no training for it.
MENDED = {
    "offer_not_answered": (
        "9d7690bc3dfafb3d353a060f1545dd37f488bf77e571e7c1302967fc32842fcc",  # of earlier catalogues
        "ec8f88ac32f1bd7ceeb9ec6372ce4adbb7a6dd0b36e7dc31b3375d2210a51d88",  # of manifests until 30 November 2026
    )
}
MAX_NAMED = 5


def changed_features(
    *,
    features: list[str],
    declarations: list[dict[str, Any]],
    catalogue_digest: str,
    feature_digests: Mapping[str, str],
) -> list[str]:
    """Return the model's features that this catalogue lacks or computes differently, in the model's order.

    Parameters
    ----------
    features, declarations, catalogue_digest, feature_digests
        ``features, catalogue, catalogue_digest, feature_digests`` of the manifest. Without feature digests they are looked up by the
        catalogue's; all features count as changed when it is unknown (own features of an earlier version).
    """
    present = catalogue()
    if catalogue_digest == present.digest and not feature_digests:
        return []
    digests = feature_digests or _earlier().get(catalogue_digest, {})
    declared = {d["name"]: d for d in declarations}
    return [
        name
        for name in features
        if name not in digests
        or name not in present.by_name
        or digests[name] not in (present.feature_digest(name, declared.get(name)), *MENDED.get(name, ()))
    ]


def changed_since(manifest: Manifest) -> list[str]:
    """Return ``changed_features`` of a manifest."""
    return changed_features(
        features=manifest.features,
        declarations=manifest.catalogue,
        catalogue_digest=manifest.catalogue_digest,
        feature_digests=manifest.feature_digests,
    )


def check_features(manifest: Manifest, where: str) -> None:
    """Raise if a model's features are no longer computed as they were in training.

    Raises
    ------
    Faults
        Naming the features.
    """
    changed = changed_since(manifest)
    if changed:
        more = f" and {len(changed) - MAX_NAMED} more" if len(changed) > MAX_NAMED else ""
        what = f"the model was made with another catalogue: {', '.join(changed[:MAX_NAMED])}{more} changed or missing"
        do = "Train again, or use the version of onroll and the file of own features that the model was trained with."
        raise Faults(Fault(what, where, do))


@cache
def _earlier() -> dict[str, dict[str, str]]:
    return json.loads(EARLIER.read_text(encoding="utf-8"))
