"""Import a mixed folder of returns: each file is recognised; files that cannot be used yet are left out, and a fault stops all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.atomic_write import finish_replacing, new_folder
from histories.linking.store import LinkageStore
from histories.returns.reading import import_return, only_import
from histories.returns.recognition import Recognised, Recogniser, order_of
from histories.returns.report import Report, Return, Unusable

LONGEST_LIST = 10  # files named in a message


@dataclass(frozen=True)
class Part:
    """The files of a folder that one format reads, with one mapping if any."""

    form: Return
    mapping: Path | None
    files: dict[str, Path]


@dataclass(kw_only=True)
class FolderReport:
    """The outcome of importing a folder.

    Attributes
    ----------
    took : dict
        The format of each file that was imported.
    left_out : list of dict
        Each other ``file``, ``why`` it was left out, the formats it ``could_be``, and what to ``do`` if it is a return.
    unusable : list of Fault
        Why recognised files were left out.
    report : Report
    """

    took: dict[str, str] = field(default_factory=dict)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    unusable: list[Fault] = field(default_factory=list)
    report: Report = field(default_factory=Report)

    def leave_out(self, part: Part, faults: list[Fault]) -> None:
        """Leave out the files of a format that cannot be used yet."""
        self.unusable += faults
        for name in part.files:
            del self.took[name]
            why, do = ("; ".join(dict.fromkeys(texts)) for texts in zip(*((f.what, f.do) for f in faults), strict=True))
            self.left_out.append({"file": name, "why": why, "could_be": [part.form.name], "do": do})

    def to_dict(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        return {"took": self.took, "left_out": self.left_out, **self.report.to_dict()}

    def text(self) -> str:
        """Return the report as lines."""
        lines = [f"took {file} as {form}" for file, form in self.took.items()]
        for file in self.left_out:
            could_be = f" ({', '.join(file['could_be'])})" if file["could_be"] else ""
            lines.append(f"left out {file['file']}{could_be}: {file['why']}")
            lines += [f"    {file['do']}"] if file["do"] else []
        return "\n".join([*lines, self.report.text()])


def import_folder(
    formats: dict[str, Return],
    folder: Path,
    into: Path,
    key: bytes | None,
    *,
    mappings: Iterable[Path] = (),
    memory: str | None = None,
) -> FolderReport:
    """Import every file of a folder, and of the folders in it, that exactly one format recognises.

    Files of a format that cannot be used yet, because no pupil can be named or a file of the return is missing, are left out and
    reported in ``unusable``.

    Parameters
    ----------
    mappings : iterable of Path
        Names of columns. A file that has those of a mapping is read by it, whatever else recognises the file.

    Raises
    ------
    Faults
        With the faults of all files, or if no file can be used; the histories are then unchanged.
    """
    if not folder.is_dir():
        raise Faults(Fault("there is no such folder", str(folder), "Name the folder that holds the returns."))
    result = FolderReport()
    recogniser = Recogniser(formats, mappings)
    parts: dict[tuple[str, Path | None], Part] = {}
    for candidate in _recognised(recogniser, folder, into):
        name = str(candidate.file.relative_to(folder))
        if candidate.why:
            could_be = list(candidate.formats)
            result.left_out.append({"file": name, "why": candidate.why, "could_be": could_be, "do": candidate.do})
            continue
        form, mapping = candidate.formats[0], candidate.mapping
        result.took[name] = form
        parts.setdefault((form, mapping), Part(formats[form], mapping, {})).files[name] = candidate.file
    if not parts:
        reasons = "; ".join(f"{f['file']}: {f['why']}" for f in result.left_out[:LONGEST_LIST])
        do = "Name each format with 'onroll import FORMAT'; 'onroll import --list' describes them."
        raise Faults(Fault(f"no file of the folder is recognised; {reasons}", str(folder), do))
    used = {mapping for _, mapping in parts}
    result.report.notes += [f"{m}: no file of the folder has its columns" for m in recogniser.mappings if m not in used]
    with only_import(into):
        _import_all(list(parts.values()), into, key, result, memory)
    return result


def _recognised(recogniser: Recogniser, folder: Path, into: Path) -> list[Recognised]:
    written_here = {into.resolve(), LinkageStore(into).folder.resolve()}
    mappings = {m.resolve() for m in recogniser.mappings}
    files = []
    for file in sorted(f for f in folder.rglob("*") if f.is_file()):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        path = file.resolve()
        if not hidden and path not in mappings and not written_here & set(path.parents):
            files.append(recogniser.recognise(file))
    return files


def _import_all(parts: list[Part], into: Path, key: bytes | None, result: FolderReport, memory: str | None) -> None:
    """Import format by format into a copy, and move the copy into place unless a value is at fault."""
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
        for part in sorted(parts, key=_order):
            try:
                files = list(part.files.values())
                _add(result.report, import_return(part.form, files, copy, key, mapping=part.mapping, memory=memory))
            except Unusable as unusable:
                result.leave_out(part, unusable.faults)
            except Faults as unreadable:
                faults += unreadable.faults
        if faults:
            raise Faults(faults)
        if copied.is_dir():
            _replace(copied, store)
        if not result.took:
            raise Unusable(result.unusable)
        _replace(copy, into)


def _order(part: Part) -> tuple[int, str]:
    return order_of(part.form)


def _replace(finished: Path, folder: Path) -> None:
    with new_folder(folder, keep=True) as beside:
        beside.rmdir()
        finished.rename(beside)


def _add(report: Report, other: Report) -> None:
    report.rows |= other.rows
    report.read |= other.read
    report.absent += other.absent
    report.unused += other.unused
    # What the folder lacks is true after the last import only.
    report.notes = [n for n in report.notes if not n.startswith("the folder still lacks")]
    report.notes += [n for n in other.notes if n not in report.notes]
