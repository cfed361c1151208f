"""What this project writes holds children's records: only its owner may read it, whatever the umask of the machine."""

from __future__ import annotations

import os
from pathlib import Path

from histories.errors import Fault

OTHERS = 0o027  # the group may read a key, as credentials of systemd let it; it may not change one, and others see none


def only_for_the_owner() -> None:
    """Let every file and folder that this process makes from now on be readable by its owner only.

    Called once, by each command and by the service: databases, Parquet and text are written by libraries that know no other way.
    """
    os.umask(0o077)


def restrict(path: Path) -> None:
    """Let only the owner read a file, or a folder with all that is in it."""
    if path.is_dir():
        path.chmod(0o700)
        for below in path.rglob("*"):
            below.chmod(0o700 if below.is_dir() else 0o600)
    elif path.exists():
        path.chmod(0o600)


def readable_by_others(file: Path) -> Fault | None:
    """Return a fault if others than its owner can read a file with a secret, or its group can change it.

    Examples
    --------
    >>> readable_by_others(Path("no-such-file")) is None
    True
    """
    if file.is_file() and file.stat().st_mode & OTHERS:
        return Fault("others can read or change this file, which holds a secret", str(file), f"Run 'chmod 600 {file}'.")
    return None
