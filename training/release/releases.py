"""All release folders of a model, compared with the promotion log."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from histories.errors import Fault, Faults
from training.bundle import read_bundle
from training.release.resolve import DO, aliases, check_version, find_release

VERSION = re.compile(r"v([1-9][0-9]*)")


def disagreements(releases: Path, name: str, public_keys: bytes | None = None) -> list[Fault]:
    """Return a fault for every alias and folder, including its files, that disagrees with the model's log.

    Parameters
    ----------
    public_keys : bytes, optional
        See ``find_release``.
    """
    faults = []
    for folder in sorted((releases / name).glob("v*")):
        version = VERSION.fullmatch(folder.name)
        if version is None:
            faults.append(Fault("this is not a version's folder", str(folder), DO, "version_not_in_log"))
        else:
            faults += _faults(partial(_check_folder, releases, name, int(version[1])))
    try:
        named = aliases(releases, name)
    except ValueError:
        return [*faults, Fault("the file of aliases cannot be read", str(releases / name), DO, "alias_not_in_log")]
    for alias in named:
        faults += _faults(partial(find_release, f"{name}@{alias}", releases, public_keys))
    return list(dict.fromkeys(faults))


def _check_folder(releases: Path, name: str, version: int) -> None:
    read_bundle(*check_version(releases, name, version))


def _faults(check: Callable[[], object]) -> list[Fault]:
    try:
        check()
    except Faults as raised:
        return raised.faults
    return []
