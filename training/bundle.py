"""The model bundle: a folder of text and JSON files with checksums; nothing in it is pickled.

A booster is LightGBM's text in a file of its own; the coefficients of a ridge regression are numbers in the manifest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.digest import file_digest

# What candidates are made of, and how much of each part's log-odds they take; any other is a booster.
PARTS = {
    "ridge": {"ridge": 1.0},
    "mean": {"ridge": 0.5, "booster": 0.5},
    "weighted_mean": {"ridge": 0.75, "booster": 0.25},
}
BOOSTER_ALONE = {"booster": 1.0}
BOOSTER, MANIFEST, CARD, RECIPE, SUMS = "booster.txt", "manifest.json", "card.md", "recipe.json", "SHA256SUMS"
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")  # a file's name; no other is opened, or written by a copy


@dataclass(kw_only=True)
class Manifest:
    """Describes a model: what it was trained on and what it needs to score and explain.

    Attributes
    ----------
    trained_on : list of str
        Every training day, with those whose outcome windows were known only in part.
    features : list of str
        The columns in the booster's order.
    catalogue : list of dict
        The declarations of the features, with their sentences.
    feature_digests : dict
        ``{feature: digest}`` of the features in use (``Catalogue.feature_digest``); empty in manifests of earlier versions.
    calibrator : dict
        ``a, b`` of ``p = sigmoid(a * margin + b)``; ``bootstrap``, pairs refitted on resampled pupils; ``spread`` and ``between`` (see ``uncertainty``).
    bands : list of dict
        ``name`` and ``at_least`` (risk), highest first.
    seen : dict
        For each feature ``[lowest, highest, share missing]`` in training.
    metrics : dict
        Figures of every candidate; this model's are under the name in ``candidate``.
    leads : dict
        This model's lead over every other candidate, with intervals.
    ridge : dict
        The terms of the ridge regression (``explanation.linear_terms``), in the order of ``features``; empty for a booster.
    timing : dict
        How the hazard runs over time, by list (``fitting.timing``); empty in manifests of earlier versions.
    newest_labelled : str or None
        The newest training day with fully known windows; None in manifests of earlier versions.
    parent : dict
        Of a model adopted from another authority (``training.adoption``): the ``bundle`` (digest), ``name`` and ``version`` it came from, its
        ``recalibration`` here, and the parent's values of what was ``replaced``; empty for a model trained here.
    """

    name: str
    version: str
    trained_on: list[str]
    until: str | None
    definition: str
    horizon_days: int
    features: list[str]
    catalogue: list[dict[str, Any]]
    catalogue_digest: str
    feature_digests: dict[str, str] = field(default_factory=dict)
    calibrator: dict[str, Any]
    bands: list[dict[str, Any]]
    base_rate: float
    themes: dict[str, str]
    metrics: dict[str, Any] = field(default_factory=dict)
    limits: list[str] = field(default_factory=list)
    seen: dict[str, list[float | None]] = field(default_factory=dict)
    known: str | None = None
    newest_labelled: str | None = None
    candidate: str = "lightgbm"
    seed: int = 0
    code_version: str = ""
    data_digest: str = ""
    leads: dict[str, Any] = field(default_factory=dict)
    ridge: dict[str, Any] = field(default_factory=dict)
    timing: dict[str, dict[str, float]] = field(default_factory=dict)
    parent: dict[str, Any] = field(default_factory=dict)

    @property
    def parts(self) -> Mapping[str, float]:
        """What the model is made of, ``booster``, ``ridge`` or both, and how much of each part's log-odds it takes."""
        return PARTS.get(self.candidate, BOOSTER_ALONE)

    @property
    def whole_days(self) -> list[str]:
        """Training days with fully known windows; in manifests of earlier versions every training day."""
        return [d for d in self.trained_on if self.newest_labelled is None or d <= self.newest_labelled]

    @property
    def part_days(self) -> list[str]:
        """Later training days, of whose windows only a part was known (``fitting.partial_windows``)."""
        return self.trained_on[len(self.whole_days) :]

    @property
    def figures(self) -> dict[str, Any]:
        """This model's figures on the test dates."""
        return dict(self.metrics[self.candidate])


def write_bundle(
    folder: Path,
    booster: str,
    manifest: Manifest,
    papers: Mapping[str, str],
    recipe: Mapping[str, Any] | None = None,
) -> None:
    """Write a bundle into an existing empty folder, checksums last.

    Parameters
    ----------
    booster : str
        LightGBM's text; empty, and not written, for a ridge regression alone.
    papers : mapping
        Text by file name, including ``card.md``; see ``training.papers``.
    recipe : mapping, optional
        The model's recipe; see ``training.provenance``.
    """
    files = {
        **({BOOSTER: booster} if booster else {}),
        MANIFEST: json.dumps(asdict(manifest), indent=1, sort_keys=True, allow_nan=False) + "\n",
        **papers,
        **({RECIPE: json.dumps(recipe, indent=1, sort_keys=True, allow_nan=False) + "\n"} if recipe else {}),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    sums = "".join(f"{file_digest(folder / n)}  {n}\n" for n in sorted(files))
    (folder / SUMS).write_text(sums, encoding="utf-8")


def read_bundle(folder: Path, digest: str | None = None) -> tuple[str, Manifest]:
    """Read a bundle and verify its checksums; each file is read once, so the returned content is the verified content.

    Parameters
    ----------
    digest : str, optional
        The digest the bundle must have; see ``bundle_digest``.

    Returns
    -------
    str, Manifest
        The booster's text, empty for a ridge regression alone, and the manifest.

    Raises
    ------
    Faults
        If a file is missing, was changed or cannot be parsed.
    """
    content = _verified(folder, digest)
    try:
        manifest = Manifest(**json.loads(content[MANIFEST]))
    except (ValueError, TypeError) as error:
        do = "It was written by another version of onroll; train again."
        raise Faults(Fault("the manifest cannot be read", str(folder / MANIFEST), do)) from error
    if "booster" in manifest.parts and BOOSTER not in content:
        raise Faults(Fault("the file is missing", str(folder / BOOSTER), "Take the model from the registry again."))
    return content.get(BOOSTER, b"").decode("utf-8"), manifest


def copy_bundle(folder: Path, out: Path, digest: str | None = None) -> None:
    """Copy the files that a bundle lists, as verified, into an empty folder; see ``read_bundle``.

    What else lies in the folder stays there, and no link is followed to what is not the listed content.
    """
    for name, content in {**_verified(folder, digest), SUMS: (folder / SUMS).read_bytes()}.items():
        (out / name).write_bytes(content)
    read_bundle(out, digest)


def _verified(folder: Path, digest: str | None) -> dict[str, bytes]:
    """Return the content of every file that a bundle lists, by name; raises like ``read_bundle``."""
    if not (folder / SUMS).is_file():
        raise Faults(Fault("this is not a model folder", str(folder), "Train a model, or name the folder of one."))
    sums = (folder / SUMS).read_bytes()
    if digest is not None and _sha256(sums) != digest:
        raise Faults(_changed(folder / SUMS))
    faults = []
    listed: dict[str, str] = {}
    for line in sums.decode(errors="replace").splitlines():
        stated, _, named = line.partition("  ")
        listed[named] = stated
    content: dict[str, bytes] = {}
    for name in dict.fromkeys((MANIFEST, CARD, *listed)):
        if not PLAIN.fullmatch(name):
            do = "Take the model from the registry again: its files lie beside each other."
            faults.append(Fault("a name on the list of files is not that of a file beside it", str(folder / SUMS), do))
            continue
        file = folder / name
        if not file.is_file():
            faults.append(Fault("the file is missing", str(file), "Take the model from the registry again."))
            continue
        content[name] = file.read_bytes()
        if listed.get(name) != _sha256(content[name]):
            faults.append(_changed(file))
    if faults:
        raise Faults(faults)
    return content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _changed(file: Path) -> Fault:
    return Fault("the file was changed after it was made", str(file), "Take the model from the registry again.")


def read_recipe(folder: Path) -> dict[str, Any]:
    """Return the recipe of a verified bundle; empty for bundles of older versions, which have none."""
    file = folder / RECIPE
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def bundle_digest(folder: Path) -> str:
    """Return the hash of a bundle's checksums, which identifies the whole bundle."""
    file = folder / SUMS
    return file_digest(file) if file.is_file() else ""
