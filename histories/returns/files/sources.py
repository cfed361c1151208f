"""The files of an import: those named and those in the named folders; files left out are reported."""

from __future__ import annotations

from pathlib import Path

from histories.errors import Fault, Faults
from histories.returns.report import Report, Return


def files_of(form: Return, sources: list[Path], report: Report) -> list[Path]:
    """Return the files of a format; report files in folders with another ending.

    Raises
    ------
    Faults
        If a source does not exist, or no file has the right ending.
    """
    files, faults = [], []
    for source in sources:
        if source.is_dir():
            for file in sorted(f for f in source.iterdir() if not f.name.startswith(".")):
                if file.suffix.lower() in form.suffixes:
                    files.append(file)
                else:
                    ends = " or ".join(form.suffixes)
                    report.unused.append(f"{file.name}: files of this format end in {ends}")
        elif source.is_file():
            files.append(source)
        else:
            do = "Name a file of the return, or a folder of them."
            faults.append(Fault("there is no such file or folder", str(source), do))
    if not files and not faults:
        do = f"Name a folder with the files of the return; they end in {' or '.join(form.suffixes)}."
        faults.append(Fault("there is no file of this format", ", ".join(map(str, sources)), do))
    if faults:
        raise Faults(faults)
    return files
