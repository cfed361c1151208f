"""Whether the features that a model uses are still computed as they were when it was trained.

Features that were added since do not matter, nor does the wording of its own: a model explains with the sentences in its manifest.
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

# Manifests used to carry one digest of the whole catalogue; this file knows what it was made of.
EARLIER = Path(__file__).with_name("earlier_catalogues.json")
MAX_NAMED = 5


def changed_features(
    *,
    features: list[str],
    declarations: list[dict[str, Any]],
    catalogue_digest: str,
    feature_digests: Mapping[str, str],
) -> list[str]:
    """Return the model's features that this catalogue lacks or computes otherwise, in the model's order.

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
        or present.feature_digest(name, declared.get(name)) != digests[name]
    ]


def changed_since(manifest: Manifest) -> list[str]:
    """Return what ``changed_features`` says of a manifest."""
    return changed_features(
        features=manifest.features,
        declarations=manifest.catalogue,
        catalogue_digest=manifest.catalogue_digest,
        feature_digests=manifest.feature_digests,
    )


def check_features(manifest: Manifest, where: str) -> None:
    """Refuse a model whose features are no longer computed as they were.

    Raises
    ------
    Faults
        With the names of the features.
    """
    changed = changed_since(manifest)
    if changed:
        more = f" and {len(changed) - MAX_NAMED} more" if len(changed) > MAX_NAMED else ""
        what = f"the model was made with another catalogue: {', '.join(changed[:MAX_NAMED])}{more} changed or missing"
        do = "Train again, or use the version of onroll and the file of own features that the model was made with."
        raise Faults(Fault(what, where, do))


@cache
def _earlier() -> dict[str, dict[str, str]]:
    return json.loads(EARLIER.read_text(encoding="utf-8"))
