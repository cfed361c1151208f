"""The model bundle: a folder without a pickle, written by training and read by whoever scores.

``booster.txt``
    the trees, as LightGBM writes them.
``manifest.json``
    all that a score needs beside the trees (:class:`Manifest`).
``card.md``
    the model card.
``SHA256SUMS``
    the checksum of each of them, as ``sha256sum`` writes it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from histories.faults import Fault, Faults

BOOSTER, MANIFEST, CARD, SUMS = "booster.txt", "manifest.json", "card.md", "SHA256SUMS"
FILES = (BOOSTER, MANIFEST, CARD)
RETRAIN = "take the bundle from the registry again, or train anew"


@dataclass(frozen=True)
class Declaration:
    """What an explanation needs to know of one feature.

    Attributes
    ----------
    name, theme : str
        The feature and the theme its contribution is counted under.
    raises, lowers : str
        Sentence when it raises the risk and when it lowers it: ``str.format`` templates over feature values.
    role : str
        ``reason``, ``context`` or ``never_shown``.
    unit : str
        Unit of the value, ``""`` for a plain count.
    missing : str
        What it means that the value is missing, as the end of a sentence; ``""`` when nothing is known.
    """

    name: str
    theme: str
    raises: str
    lowers: str
    role: str = "reason"
    unit: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Calibrator:
    """Two-parameter calibration, ``risk = sigmoid(a * margin + b)``, with its bootstrap pairs ``(a, b)``."""

    a: float
    b: float
    bootstrap: list[list[float]] = field(default_factory=list)


@dataclass(frozen=True)
class Band:
    """A band of the work-list: its name and the lowest risk that belongs to it."""

    name: str
    at_least: float


@dataclass(frozen=True)
class Manifest:
    """All that a score needs beside the trees; ``manifest.json`` holds exactly these keys.

    Attributes
    ----------
    name, version : str, int
        The registered model and its version.
    trained_on, until : str
        The day of training, and the day from which on nothing recorded was used (ISO dates).
    definition, horizon_days : str, int
        What counts as missing, and the length of the outcome window.
    features : list of str
        The columns of the matrix, in the order the trees were grown on.
    catalogue : list of Declaration
        One declaration for each feature.
    themes : dict of str to str
        Each theme and its name in words.
    seen : dict of str to list
        For each feature ``[lowest, highest, missing_share]`` in training; bounds ``None`` when all missing.
    """

    name: str
    version: int
    trained_on: str
    until: str
    definition: str
    horizon_days: int
    features: list[str]
    catalogue: list[Declaration]
    catalogue_digest: str
    calibrator: Calibrator
    bands: list[Band]
    base_rate: float
    themes: dict[str, str]
    seed: int
    code_version: str
    data_digest: str
    metrics: dict[str, Any] = field(default_factory=dict)
    limits: list[str] = field(default_factory=list)
    seen: dict[str, list[float | None]] = field(default_factory=dict)

    def to_json(self) -> str:
        """Give the text of ``manifest.json``: the same manifest gives the same bytes."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = MANIFEST) -> Manifest:
        """Read a manifest; raise :class:`Faults` naming every key that is missing, foreign or wrong."""
        try:
            data = json.loads(text)
        except ValueError:
            raise Faults(Fault("is not JSON", where, RETRAIN)) from None
        if not isinstance(data, dict):
            raise Faults(Fault("is not a JSON object", where, RETRAIN))
        _check_keys(data, where)
        try:
            data["catalogue"] = [Declaration(**d) for d in data["catalogue"]]
            data["calibrator"] = Calibrator(**data["calibrator"])
            data["bands"] = [Band(**b) for b in data["bands"]]
            manifest = cls(**data)
            _check_meaning(manifest, where)
        except (TypeError, ValueError, AttributeError, KeyError):
            raise Faults(Fault("a key does not have the shape of a manifest", where, RETRAIN)) from None
        return manifest


def _check_keys(data: dict[str, Any], where: str) -> None:
    known = {f.name for f in fields(Manifest)}
    required = {f.name for f in fields(Manifest) if f.default is MISSING and f.default_factory is MISSING}
    faults = [Fault("is missing", f"{where}, {key}", RETRAIN) for key in sorted(required - data.keys())]
    faults += [
        Fault("is not a key of a manifest", f"{where}, {key}", RETRAIN) for key in sorted(data.keys() - known)
    ]
    if faults:
        raise Faults(faults)


def _check_meaning(manifest: Manifest, where: str) -> None:
    faults = []
    declared = {d.name for d in manifest.catalogue}
    for name in manifest.features:
        if name not in declared:
            faults.append(Fault("has no declaration", f"{where}, catalogue, {name}", RETRAIN))
    for d in manifest.catalogue:
        if d.theme not in manifest.themes:
            faults.append(
                Fault("is under a theme that is not in themes", f"{where}, catalogue, {d.name}", RETRAIN)
            )
        if d.role not in ("reason", "context", "never_shown"):
            faults.append(Fault("has an unknown role", f"{where}, catalogue, {d.name}", RETRAIN))
    if len(set(manifest.features)) != len(manifest.features):
        faults.append(Fault("names a feature twice", f"{where}, features", RETRAIN))
    if not manifest.calibrator.a > 0:
        faults.append(
            Fault("is not above 0, so ranks and risks would disagree", f"{where}, calibrator, a", RETRAIN)
        )
    if not manifest.bands or min(b.at_least for b in manifest.bands) != 0:
        faults.append(
            Fault("has no band that begins at 0, so a score could be in none", f"{where}, bands", RETRAIN)
        )
    if faults:
        raise Faults(faults)


def checksum(path: Path) -> str:
    """Give the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def write_sums(folder: Path) -> None:
    """Write ``SHA256SUMS`` over the files of a bundle; the last step of writing one."""
    lines = "".join(f"{checksum(folder / name)}  {name}\n" for name in sorted(FILES))
    beside = folder / f"{SUMS}.part"
    beside.write_text(lines, encoding="utf-8")
    beside.replace(folder / SUMS)


def write_bundle(folder: Path, booster: str, manifest: Manifest, card: str) -> Path:
    """Write a whole bundle into a folder that is new or empty, and give the folder."""
    if folder.exists() and any(folder.iterdir()):
        raise Faults(Fault("is not empty", str(folder), "name a new folder for the bundle"))
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in ((BOOSTER, booster), (MANIFEST, manifest.to_json()), (CARD, card)):
        (folder / name).write_bytes(text.encode("utf-8"))
    write_sums(folder)
    return folder


def verify(folder: Path) -> None:
    """Compare a bundle with its checksums; raise :class:`Faults` for files missing, altered or foreign."""
    if not folder.is_dir():
        raise Faults(Fault("is not a folder", str(folder), "give the folder of a model bundle"))
    if not (folder / SUMS).is_file():
        raise Faults(Fault("is missing", str(folder / SUMS), RETRAIN))
    sums: dict[str, str] = {}
    text = (folder / SUMS).read_text(encoding="utf-8", errors="replace")
    for line in text.splitlines():
        total, _, name = line.partition("  ")
        sums[name] = total
    faults = [
        Fault("has no checksum", str(folder / SUMS) + f", {name}", RETRAIN)
        for name in FILES
        if name not in sums
    ]
    present = {p.name for p in folder.iterdir()} - {SUMS}
    for name in sorted(present | set(FILES)):
        path = folder / name
        if name not in present:
            faults.append(Fault("is missing", str(path), RETRAIN))
        elif name not in FILES:
            faults.append(Fault("does not belong to a bundle", str(path), "move it elsewhere"))
        elif name in sums and (not path.is_file() or checksum(path) != sums[name]):
            faults.append(Fault("was altered since it was written", str(path), RETRAIN))
    if faults:
        raise Faults(faults)


def read_bundle(folder: Path) -> tuple[Manifest, str]:
    """Verify a bundle and give its manifest and the text of its booster."""
    verify(folder)
    where = str(folder / MANIFEST)
    text = (folder / MANIFEST).read_text(encoding="utf-8", errors="replace")
    return Manifest.from_json(text, where), (folder / BOOSTER).read_text(encoding="utf-8")
