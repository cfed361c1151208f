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
from histories.returns.reading import import_return, link_persons
from histories.returns.recognition import NAMES, READABLE, Recognised, Recogniser, order_of
from histories.returns.replacing import only_import
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
    unread : bool
        Whether a file was left out that may be a return: any table, XML or JSON.
    report : Report
    """

    took: dict[str, str] = field(default_factory=dict)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    unusable: list[Fault] = field(default_factory=list)
    unread: bool = False
    report: Report = field(default_factory=Report)

    def leave_out(self, form: Return, names: Iterable[str], faults: list[Fault]) -> None:
        """Leave out files of a format that cannot be used yet."""
        self.unusable += faults
        self.unread = True
        for name in names:
            del self.took[name]
            why, do = ("; ".join(dict.fromkeys(texts)) for texts in zip(*((f.what, f.do) for f in faults), strict=True))
            self.left_out.append({"file": name, "why": why, "could_be": [form.name], "do": do})

    def to_dict(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        return {"took": self.took, **self.report.to_dict(), "left_out": self.left_out}

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
    persons: Path | None = None,
    memory: str | None = None,
) -> FolderReport:
    """Import every file of a folder, and of the folders in it, that exactly one format recognises.

    Files of a format that cannot be used yet, because no pupil can be named or a file of the return is missing, are left out and
    reported in ``unusable``.

    Parameters
    ----------
    mappings : iterable of Path
        Names of columns. A file that has those of a mapping is read by it, whatever else recognises the file.
    persons : Path, optional
        A list of persons with names; those without a UPN are linked as soon as the names of pupils are there.

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
    for candidate in _recognised(recogniser, folder, into, persons):
        name = str(candidate.file.relative_to(folder))
        if candidate.why:
            could_be = list(candidate.formats)
            result.unread = result.unread or candidate.file.suffix.lower() in READABLE
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
        _FolderImport(list(parts.values()), into, key, result, memory).run(persons)
    return result


def _recognised(recogniser: Recogniser, folder: Path, into: Path, persons: Path | None) -> list[Recognised]:
    written_here = {into.resolve(), LinkageStore(into).folder.resolve()}
    named = {f.resolve() for f in (*recogniser.mappings, *([persons] if persons else []))}
    files = []
    for file in sorted(f for f in folder.rglob("*") if f.is_file()):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        path = file.resolve()
        if not hidden and path not in named and not written_here & set(path.parents):
            files.append(recogniser.recognise(file))
    return files


class _FolderImport:
    """Imports format by format into a copy of the histories, and moves the copy into place unless a value is at fault."""

    def __init__(
        self, parts: list[Part], into: Path, key: bytes | None, result: FolderReport, memory: str | None
    ) -> None:
        self.parts, self.into, self.key, self.result, self.memory = parts, into, key, result, memory
        self.faults: list[Fault] = []

    def run(self, persons: Path | None) -> None:
        """Import all parts; link the persons once no part that brings names is left, and before the parts that need the links."""
        finish_replacing(self.into)
        parent = self.into.resolve().parent
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".onroll-import-", dir=parent) as scratch:
            copy = Path(scratch) / self.into.name
            if self.into.is_dir():
                shutil.copytree(
                    self.into, copy, copy_function=os.link
                )  # files of histories are replaced, never modified
            store, copied = LinkageStore(self.into).folder, LinkageStore(copy).folder
            if store.is_dir():
                shutil.copytree(store, copied)
            ordered = sorted(self.parts, key=_order)
            first = [p for p in ordered if order_of(p.form)[0] <= NAMES]
            for part in first:
                self._import(part, copy)
            if persons is not None and not self.faults:
                link_persons(copy, persons, self.result.report)
            # Without other parts the last one is read again, so that rows of earlier imports are given to the linked pupils.
            others = [p for p in ordered if p not in first]
            for part in others or (first[-1:] if persons else []):
                self._import(part, copy)
            if self.faults:
                raise Faults(self.faults)
            if copied.is_dir():
                _replace(copied, store)
            if not self.result.took:
                raise Unusable(self.result.unusable)
            _replace(copy, self.into)

    def _import(self, part: Part, copy: Path) -> None:
        names = {file: name for name, file in part.files.items() if name in self.result.took}
        try:
            report = import_return(part.form, list(names), copy, self.key, mapping=part.mapping, memory=self.memory)
        except Unusable as unusable:
            self.result.leave_out(part.form, names.values(), unusable.faults)
        except Faults as unreadable:
            self.faults += unreadable.faults
        else:
            for left_out in report.left_out:
                self.result.leave_out(part.form, [names[f] for f in left_out.files], [left_out.fault])
            _add(self.result.report, report)


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
