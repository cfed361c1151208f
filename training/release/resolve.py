"""Find a released model by name and alias, without MLflow, and check it against its promotion log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from training.bundle import SUMS, bundle_digest
from training.release.promotion_log import entries, follow, hashes, readable
from training.release.signature import is_signed
from training.release.standing import WITHDRAWN, standings

ALIASES = "aliases.json"
MOVES = "promotions.jsonl"
UNRECORDED = "move_not_in_audit"  # code of a move that no command has recorded in the audit
# The log is written seconds before the aliases; until then an alias may still name the previous version.
MOVE_TIME = timedelta(minutes=2)
DO = "Nothing serves it. Run 'onroll models verify', restore the folder from a backup, and find out who changed it."


class Mismatch(Faults):
    """A model that does not agree with its promotion log; ``code`` names the kind of disagreement."""

    def __init__(self, code: str, what: str, where: str, do: str = DO) -> None:
        super().__init__(Fault(what, where, do, code))
        self.code = code


class Withdrawn(Faults):
    """The model was withdrawn: no version serves until one is promoted or rolled back to.

    Attributes
    ----------
    version : str
        The one that served until then.
    at : str
        When, in ISO format.
    """

    def __init__(self, model: str, line: dict[str, Any]) -> None:
        do = "Nothing serves until 'onroll models promote' or 'onroll models rollback'."
        super().__init__(Fault("the model was withdrawn", model, do, "model_withdrawn"))
        self.version, self.at = str(line.get("before") or ""), str(line.get("at", ""))


@dataclass(frozen=True, kw_only=True)
class Release:
    """A version that agrees with its promotion log.

    Attributes
    ----------
    alias : str
        Empty for a folder given by its path, which no log vouches for.
    bundle : str
        Digest of the bundle's checksums; load the model with it, so that the files cannot be exchanged in between.
    lines : int
        Length of the log.
    move : str
        The hash of the line that gave the version its alias.
    signed : bool
        Whether that line is signed with a trusted key.
    """

    folder: Path
    name: str
    alias: str
    version: str
    bundle: str
    lines: int = 0
    move: str = ""
    signed: bool = False


def aliases(releases: Path, name: str) -> dict[str, int]:
    """Return the version that each alias of a model names; empty if there are no aliases."""
    file = releases / name / ALIASES
    if not file.is_file():
        return {}
    return json.loads(file.read_text(encoding="utf-8"))


def logged(releases: Path, name: str) -> list[dict[str, Any]]:
    """Return every line of a model's log, oldest first; lines that move an alias name it."""
    return entries(releases / name / MOVES)


def moves(releases: Path, name: str) -> list[dict[str, Any]]:
    """Return every move of an alias of a model, oldest first."""
    return [line for line in logged(releases, name) if line.get("alias")]


def withdrawn(releases: Path, name: str, alias: str) -> dict[str, Any] | None:
    """Return the log entry that withdrew an alias, if no later entry gave it to a version; lines that cannot be read are passed over."""
    moved = [line for line in readable(releases / name / MOVES) if line.get("alias") == alias]
    return moved[-1] if moved and moved[-1].get("action") == WITHDRAWN else None


def must_not_be_withdrawn(release: Release, releases: Path) -> None:
    """Raise ``Withdrawn`` if a folder, which no alias names, holds a version that a log in ``releases`` withdrew: as a copy too."""
    for file in () if release.alias else sorted(releases.glob(f"*/{MOVES}")):
        lines = readable(file)
        standing = standings(lines)
        same = {version for version in standing if release.bundle in _stated(lines, version)}
        if WITHDRAWN in {standing[version] for version in same}:
            taken = [line for line in lines if line.get("action") == WITHDRAWN]
            own = [line for line in taken if line.get("before") in same]
            raise Withdrawn(release.name, (own or taken)[-1])


def find_release(model: str, releases: Path, public_keys: bytes | None = None) -> Release:
    """Find ``name@alias`` or a folder; an aliased version must match the log byte for byte.

    Parameters
    ----------
    public_keys : bytes, optional
        If given, the line that moved the alias must be signed; see ``training.release.signature``.

    Raises
    ------
    Withdrawn
        If the alias was withdrawn.
    Mismatch
        If log, alias, folder and signature disagree.
    Faults
        If there is no such model.
    """
    if "@" not in model:
        if (Path(model) / "manifest.json").is_file():
            return Release(folder=Path(model), name=model, alias="", version="", bundle=bundle_digest(Path(model)))
        raise Faults(
            Fault(
                "there is no such model",
                model,
                "Name a model as name@alias, such as onroll@champion, or a model folder.",
            )
        )
    name, alias = model.split("@", 1)
    withdrawal = withdrawn(releases, name, alias)
    if withdrawal:
        raise Withdrawn(model, withdrawal)
    version = aliases(releases, name).get(alias)
    if version is None:
        do = "Run 'onroll train' first, or 'onroll models list' to see the versions."
        raise Faults(Fault("there is no such model", f"{model} in {releases}", do))
    lines, known = _whole_log(releases, name)
    move = _move(lines, alias, version, f"{model} in {releases}")
    moved_at = lines.index(move)
    if public_keys is not None and not is_signed(move.get("hash", ""), move.get("signature", ""), public_keys):
        raise Mismatch("not_signed", "the move of the alias is not signed with a trusted key", f"{name}, {MOVES}")
    folder, bundle = check_version(releases, name, version, lines)
    if bundle not in _stated(lines[: moved_at + 1], version):
        raise Mismatch(
            "version_not_in_log", "no line until the alias was moved has a digest of this version", str(folder)
        )
    return Release(
        folder=folder,
        name=name,
        alias=alias,
        version=str(version),
        bundle=bundle,
        lines=len(lines),
        move=known[moved_at],
        signed=public_keys is not None,
    )


def resolve(model: str, releases: Path, public_keys: bytes | None = None) -> Path:
    """Return the folder of ``name@alias``, or of a path; raises like ``find_release``."""
    return find_release(model, releases, public_keys).folder


def check_version(
    releases: Path, name: str, version: int, lines: list[dict[str, Any]] | None = None
) -> tuple[Path, str]:
    """Return a version's folder and its digest, which every log line about the version must state.

    Raises
    ------
    Mismatch
        If the log has no digest of the version, or another one.
    Faults
        If the folder does not exist.
    """
    folder = releases / name / f"v{version}"
    if not (folder / SUMS).is_file():
        raise Faults(Fault("this is not a model folder", str(folder), "Train a model, or restore it from a backup."))
    if lines is None:
        lines, _ = _whole_log(releases, name)
    stated = _stated(lines, version)
    if not stated:
        raise Mismatch("version_not_in_log", "the promotion log has no digest of this version", str(folder))
    digest = bundle_digest(folder)
    if stated != {digest}:
        raise Mismatch("bundle_differs", "the folder is not the one that the promotion log states", str(folder))
    return folder, digest


def _stated(lines: list[dict[str, Any]], version: int) -> set[str]:
    """Return the digests that lines state of a version; a refused promotion states the digest that was refused."""
    entries = (line for line in lines if line.get("version") == version and line.get("action") != "refused")
    return {line["bundle"] for line in entries if line.get("bundle")}


def _whole_log(releases: Path, name: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Return a log's lines and their hashes, if the log verifies."""
    file = releases / name / MOVES
    state = follow(file)
    if not state.whole:
        raise Mismatch("log_broken", f"line {state.bad} of the promotion log does not verify: {state.why}", str(file))
    return entries(file), hashes(file)


def _move(lines: list[dict[str, Any]], alias: str, version: int, where: str) -> dict[str, Any]:
    """Return the line of the log that gave a version its alias."""
    moved = [line for line in lines if line.get("alias") == alias]
    if moved and moved[-1].get("before") == version != moved[-1].get("version") and _is_recent(moved[-1]):
        moved.pop()
    if not moved or moved[-1].get("version") != version:
        raise Mismatch("alias_not_in_log", "the alias names another version than the promotion log", where)
    return moved[-1]


def _is_recent(line: dict[str, Any]) -> bool:
    age = datetime.now(UTC) - datetime.fromisoformat(line["at"])
    return timedelta() <= age + timedelta(seconds=1) <= MOVE_TIME
