"""Pupil identifiers from a file: on a command line, the shell's history and the process list would show them."""

from __future__ import annotations

from pathlib import Path

from histories.errors import Fault, Faults


def read_pupils(file: Path) -> list[str]:
    """Return the identifiers in a file, one per line, without empty lines and duplicates.

    Raises
    ------
    Faults
        If the file cannot be read or has no identifiers.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        do = "Name a UTF-8 text file with one pupil identifier per line."
        raise Faults(Fault("the file cannot be read", str(file), do)) from error
    pupils = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not pupils:
        raise Faults(Fault("the file has no identifiers", str(file), "Put one pupil identifier on each line."))
    return pupils
