"""Which components of the image are overdue; ``python -m tests.house.overdue`` asks the package index, lists them and fails if there are any.

A component is overdue if a newer version of it, within the upper bounds of ``pyproject.toml``, has been out for longer than SECURITY.md allows.
The resolver is asked what it would have locked on that day, from the same requirements without their lower bounds.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from histories.calendar import london_today
from tests.house.code import ROOT

DAYS = 90  # SECURITY.md says so
UPPER = {"<", "<=", "!="}


def without_lower_bounds(requirements: Iterable[str]) -> list[str]:
    """Return requirements that also take older versions."""
    relaxed = []
    for text in requirements:
        requirement = Requirement(text)
        requirement.specifier = SpecifierSet(",".join(str(s) for s in requirement.specifier if s.operator in UPPER))
        relaxed.append(str(requirement))
    return relaxed


def pins(lock: str) -> dict[str, Version]:
    """Return the versions that a lock names."""
    lines = (line.partition(";")[0].strip(" \\").partition("==") for line in lock.splitlines() if line[:1].isalnum())
    return {name: Version(version) for name, _, version in lines}


def late(locked: Mapping[str, Version], then: Mapping[str, Version]) -> list[str]:
    """Return the components of which a newer version than the locked one was there already."""
    return sorted(name for name in locked.keys() & then.keys() if locked[name] < then[name])


def resolve(requirements: Iterable[str], *options: str) -> dict[str, Version] | None:
    """Return what the resolver would lock; None if nothing fits.

    Raises
    ------
    SystemExit
        With its words, if it failed otherwise: without an answer nothing is known.
    """
    command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--python-version", "3.11"]
    command += ["--no-annotate", "--no-header", "--no-emit-index-url", *options, "-"]
    done = subprocess.run(command, input="\n".join(requirements), capture_output=True, text=True, check=False)
    if done.returncode and "No solution found" not in done.stderr:
        raise SystemExit(done.stderr or "the resolver failed")
    return pins(done.stdout) if done.returncode == 0 else None


def main() -> int:
    """List the overdue components of the image, and those that others hold back; return 1 if there are overdue ones."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    day = london_today() - timedelta(days=DAYS)
    locked = pins((ROOT / "requirements.production.lock").read_text("utf-8"))
    then = resolve(without_lower_bounds(project["dependencies"]), "--exclude-newer", day.isoformat())
    if then is None:
        raise SystemExit(f"nothing fits the requirements on {day}")
    overdue = []
    for name in late(locked, then):
        newer = [f"{other}>={version}" for other, version in locked.items() if other != name]  # families move together
        held_back = resolve([*newer, f"{name}>={then[name]}"]) is None
        overdue += [] if held_back else [name]
        said = "held back by the others" if held_back else "overdue"
        sys.stdout.write(f"{name} {locked[name]}, {said}: {then[name]} was there already\n")
    sys.stdout.write(f"{len(overdue)} of {len(locked)} components are overdue; a newer version was there on {day}\n")
    return int(bool(overdue))


if __name__ == "__main__":
    sys.exit(main())
