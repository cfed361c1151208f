"""Pupil identifiers from a file: on a command line they would stay in the shell's history and the process list."""

from __future__ import annotations

from pathlib import Path

from histories.errors import Fault, Faults


def read_pupils(file: Path) -> list[str]:
    """Return the identifiers in a file, one a line, without empty lines and duplicates.

    Raises
    ------
    Faults
        When the file cannot be read or names nobody.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        do = "Name a text file in UTF-8 with one pupil identifier a line."
        raise Faults(Fault("the file cannot be read", str(file), do)) from error
    pupils = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not pupils:
        raise Faults(Fault("the file names nobody", str(file), "Put one pupil identifier on each line."))
    return pupils
