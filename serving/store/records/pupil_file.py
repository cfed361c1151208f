"""Pupils named by a file: an identifier on a command line would stay in the shell's history and in the list of processes."""

from __future__ import annotations

from pathlib import Path

from histories.errors import Fault, Faults


def read_pupils(file: Path) -> list[str]:
    """Return the identifiers in a file, one a line; empty lines and doubles are left out.

    Raises
    ------
    Faults
        When the file cannot be read or names nobody.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        do = "Name a text file in UTF-8 with one pupil's identifier a line."
        raise Faults(Fault("the file cannot be read", str(file), do)) from error
    found = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not found:
        raise Faults(Fault("the file names nobody", str(file), "Put one pupil's identifier on each line."))
    return found
