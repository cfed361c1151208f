"""Import a mixed folder of returns: each file is recognised, and either all are merged or none."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.atomic_write import finish_replacing, new_folder
from histories.linking.store import LinkageStore
from histories.returns.reading import import_return, only_import
from histories.returns.recognition import Recognised, order_of, recognise
from histories.returns.report import Report, Return


@dataclass(kw_only=True)
class FolderReport:
    """The outcome of importing a folder: files by format, files left out, and the report of the import."""

    took: dict[str, str] = field(default_factory=dict)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    report: Report = field(default_factory=Report)

    def to_dict(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        return {"took": self.took, "left_out": self.left_out, **self.report.to_dict()}

    def text(self) -> str:
        """Return the report as lines."""
        lines = [f"took {file} as {form}" for file, form in self.took.items()]
        for file in self.left_out:
            could_be = f" ({', '.join(file['could_be'])})" if file["could_be"] else ""
            lines.append(f"left out {file['file']}: {file['why']}{could_be}")
        return "\n".join([*lines, self.report.text()])


def import_folder(
    formats: dict[str, Return], folder: Path, into: Path, key: bytes | None, *, memory: str | None = None
) -> FolderReport:
    """Import every file of a folder, and of the folders in it, that exactly one format recognises.

    Raises
    ------
    Faults
        With the faults of all files; the histories are then unchanged.
    """
    if not folder.is_dir():
        raise Faults(Fault("there is no such folder", str(folder), "Name the folder that holds the returns."))
    result = FolderReport()
    files: dict[str, list[Path]] = {}
    for candidate in _recognised(formats, folder, into):
        name = str(candidate.file.relative_to(folder))
        if candidate.why:
            result.left_out.append({"file": name, "why": candidate.why, "could_be": list(candidate.formats)})
        else:
            result.took[name] = candidate.formats[0]
            files.setdefault(candidate.formats[0], []).append(candidate.file)
    if not files:
        reasons = "; ".join(f"{f['file']}: {f['why']}" for f in result.left_out[:10])
        do = "Name each format with 'onroll import FORMAT'; 'onroll import --list' describes them."
        raise Faults(Fault(f"no file of the folder is recognised; {reasons}", str(folder), do))
    with only_import(into):
        _import_all([(formats[f], files[f]) for f in files], into, key, result.report, memory)
    return result


def _recognised(formats: dict[str, Return], folder: Path, into: Path) -> list[Recognised]:
    written_here = {into.resolve(), LinkageStore(into).folder.resolve()}
    files = []
    for file in sorted(f for f in folder.rglob("*") if f.is_file()):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if not hidden and not written_here & set(file.resolve().parents):
            files.append(recognise(file, formats))
    return files


def _import_all(
    parts: list[tuple[Return, list[Path]]], into: Path, key: bytes | None, report: Report, memory: str | None
) -> None:
    """Import format by format into a copy, and move the copy into place if every format succeeds."""
    finish_replacing(into)
    into.resolve().parent.mkdir(parents=True, exist_ok=True)
    faults: list[Fault] = []
    with tempfile.TemporaryDirectory(prefix=".onroll-import-", dir=into.resolve().parent) as scratch:
        copy = Path(scratch) / into.name
        if into.is_dir():
            shutil.copytree(into, copy, copy_function=os.link)  # files of histories are replaced, never modified
        store, copied = LinkageStore(into).folder, LinkageStore(copy).folder
        if store.is_dir():
            shutil.copytree(store, copied)
        for form, files in sorted(parts, key=_order):
            try:
                _add(report, import_return(form, files, copy, key, memory=memory))
            except Faults as unreadable:
                faults += unreadable.faults
        if faults:
            raise Faults(faults)
        _replace(copy, into)
        if copied.is_dir():
            _replace(copied, store)


def _order(part: tuple[Return, list[Path]]) -> tuple[int, str]:
    return order_of(part[0])


def _replace(finished: Path, folder: Path) -> None:
    with new_folder(folder, keep=True) as beside:
        beside.rmdir()
        finished.rename(beside)


def _add(report: Report, other: Report) -> None:
    report.rows |= other.rows
    report.read |= other.read
    report.absent += other.absent
    report.unused += other.unused
    report.notes += [n for n in other.notes if n not in report.notes and not n.startswith("the folder still lacks")]
