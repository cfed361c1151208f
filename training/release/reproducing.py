"""Reproduce a model from its recipe byte for byte, or report what differs or is missing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from features.counting.block_cache import BlockStore
from histories.reading.histories import Histories
from training.adoption.adopting import Parent, adopt
from training.bundle import BOOSTER, Manifest, read_bundle, read_recipe
from training.pipeline import train
from training.provenance import made_with, task_of
from training.task import ProgressCallback, quiet

# If these changed, the model would differ, so reproduction is not attempted.
NEEDED = ("histories", "catalogue", "own_features")
# Changes in these often give the same model; the comparison shows it.
NOTED = ("code", "lock", "packages", "python", "machine", "engine")


@dataclass(frozen=True, kw_only=True)
class Remade:
    """The outcome of reproducing a model.

    Attributes
    ----------
    equal : bool
        Whether the booster and the manifest are identical.
    missing : list of str
        Missing or changed inputs that prevent reproduction.
    differs : list of str
        Other changes since the model was trained, and parts of the model that differ.
    booster : dict
        Hashes of the booster, ``then`` and ``now``.
    """

    version: str
    equal: bool
    missing: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)
    booster: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Return the outcome as text."""
        outcome = "was reproduced byte for byte" if self.equal else "was retrained, and differs"
        if self.missing:
            outcome = "was not reproduced"
        lines = [f"version {self.version} {outcome}"]
        lines += [f"missing: {m}" for m in self.missing]
        lines += [f"{'equal although this differs' if self.equal else 'differs'}: {d}" for d in self.differs]
        return "\n".join(lines)


def reproduce(
    folder: Path, histories: Histories | None, *, kept: BlockStore | None = None, advance: ProgressCallback = quiet
) -> Remade:
    """Retrain by the recipe of a released version, or adopt its parent again, and compare.

    Parameters
    ----------
    histories : Histories or None
        The training histories; None if their location is unknown.

    Raises
    ------
    Faults
        If the version's files are damaged.
    """
    booster, manifest = read_bundle(folder)
    recipe = read_recipe(folder)
    then = hashlib.sha256(booster.encode()).hexdigest()
    missing = [f"part of the recipe ({name})" for name in ("question", "config", "histories") if not recipe.get(name)]
    if missing:
        return Remade(version=manifest.version, equal=False, missing=missing, booster={"then": then})
    current = {**made_with(recipe["engine"]), "histories": histories.digest() if histories else None}
    missing = [_differs(name, recipe[name], current[name]) for name in NEEDED if recipe[name] != current[name]]
    differs = [_differs(name, recipe[name], current[name]) for name in NOTED if recipe[name] != current[name]]
    if missing or histories is None:
        return Remade(version=manifest.version, equal=False, missing=missing, differs=differs, booster={"then": then})
    how = {"seed": recipe["seed"], "memory": recipe["memory"], "kept": kept, "advance": advance}
    if manifest.parent:
        retrained = adopt(Parent.of_adopted(booster, manifest, recipe), histories, task_of(recipe), **how)
    else:
        # Recipes of earlier versions of onroll have no number of threads.
        threads = recipe.get("blas_threads")
        retrained = train(histories, task_of(recipe), config=recipe["config"], blas_threads=threads, **how)
    retrained.manifest.version = manifest.version
    _leave_out_what_is_new(manifest, retrained.manifest)
    now = hashlib.sha256(retrained.booster.encode()).hexdigest()
    came_out = [f"the manifest's {name}" for name in _other(asdict(manifest), asdict(retrained.manifest))]
    came_out += [BOOSTER] if retrained.booster != booster else []
    return Remade(
        version=manifest.version,
        equal=not came_out,
        missing=[],
        differs=differs + came_out,
        booster={"then": then, "now": now},
    )


def _leave_out_what_is_new(then: Manifest, now: Manifest) -> None:
    """Take from a manifest what earlier versions of onroll did not write."""
    if not then.feature_digests:
        now.feature_digests = {}
    if then.newest_labelled is None:
        now.newest_labelled = None
    if not then.timing:
        now.timing = {}
        now.metrics.get(now.candidate, {}).pop("within", None)
    if "between" not in then.calibrator:
        now.calibrator = {name: value for name, value in now.calibrator.items() if name != "between"}


def _differs(name: str, then: Any, now: Any) -> str:
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        names = sorted(k for k in {*then, *now} if then.get(k) != now.get(k))
        return f"{name}: " + ", ".join(f"{k} {then.get(k)} then, {now.get(k)} here" for k in names)
    return f"{name}: {_short(then)} then, {_short(now)} here"


def _short(value: Any) -> str:
    return "none" if not value else str(value)[:16]


def _other(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return [k for k in then if json.dumps(then[k], sort_keys=True) != json.dumps(now.get(k), sort_keys=True)]
