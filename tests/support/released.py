"""Releases made of the bundle that all tests share, with their promotion log, so that a model's life can be played through without training."""

import json
from dataclasses import replace

from histories.settings import settings
from serving.store import Store
from serving.store.audit.model_log import record_line
from training.bundle import bundle_digest, read_bundle, write_bundle
from training.release import withdrawal
from training.release.promotion_log import append
from training.release.resolve import ALIASES, MOVES, UNRECORDED, logged, moves

LOW = {"a": 1.0, "b": -9.0, "bootstrap": [[1.0, -9.0]]}  # a calibrator by which nobody is at risk


def release(releases, bundle, version, **changes):
    """Write and log a version of the model ``onroll`` with changes to its manifest, and return its folder."""
    booster, manifest = read_bundle(bundle)
    folder = releases / "onroll" / f"v{version}"
    folder.mkdir(parents=True)
    write_bundle(folder, booster, replace(manifest, version=str(version), **changes), {"card.md": "# card\n"})
    log = {"action": "registered", "by": "ann", "why": "newly trained", "bundle": bundle_digest(folder)}
    append(releases / "onroll" / MOVES, version=version, **log)
    return folder


def alias(releases, signing_key=None, **named):
    """Point the aliases at versions, in the log and in the file, in one move."""
    for name, version in named.items():
        before = next((m["version"] for m in reversed(moves(releases, "onroll")) if m["alias"] == name), None)
        if before != version:
            log = {"action": "promoted", "by": "bob", "why": "autumn", "version": version, "before": before}
            append(releases / "onroll" / MOVES, signing_key, alias=name, **log)
    write_aliases(releases, **named)


def append_a_promotion(releases, bundle):
    """Append lines for a hand-made folder to the log, every hash right, and name it in the aliases; return how it is refused."""
    release(releases, bundle, 99, calibrator=LOW)
    alias(releases, champion=99)
    return UNRECORDED


def recorded(releases, store=None):
    """Record the newest line of the log in the audit, as the command does that writes it; a service serves no other move."""
    line = logged(releases, "onroll")[-1]
    record_line(store or Store.of(settings(releases.parents[1])), releases, "onroll", line)


def withdraw(releases):
    """Withdraw the champion as ``onroll models withdraw`` does; ``recorded`` records it."""
    withdrawal.withdraw(settings(releases.parents[1]), "onroll", who="bob", why="wrong")


def write_aliases(releases, **named):
    """Replace the file of aliases alone, as nobody should."""
    beside = releases / "onroll" / ".aliases"
    beside.write_text(json.dumps(named))
    beside.replace(releases / "onroll" / ALIASES)


def model_of(folder):
    """Return what a release predicts with: its booster, its ridge regression and its calibrator."""
    booster, manifest = read_bundle(folder)
    return booster, manifest.ridge, manifest.calibrator
