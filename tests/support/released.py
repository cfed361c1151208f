"""Releases made of the bundle that all tests share, so that a model's life can be played through without training."""

import json
from dataclasses import replace

from training.bundle import read_bundle, write_bundle
from training.release.resolve import ALIASES


def release(releases, bundle, version, **changes):
    """Write a version of the model ``onroll`` with changes to its manifest, and return its folder."""
    booster, manifest = read_bundle(bundle)
    folder = releases / "onroll" / f"v{version}"
    folder.mkdir(parents=True)
    write_bundle(folder, booster, replace(manifest, version=str(version), **changes), {"card.md": "# card\n"})
    return folder


def alias(releases, **named):
    """Point the aliases at versions, in one move."""
    beside = releases / "onroll" / ".aliases"
    beside.write_text(json.dumps(named))
    beside.replace(releases / "onroll" / ALIASES)
