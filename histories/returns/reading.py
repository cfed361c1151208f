"""What a format of a return is, and the one way to read it: beside, checked by opening, then renamed."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from histories.faults import Fault, Faults
from histories.tables import TABLES
from histories.writing import new_folder, not_new

KINDS = {"text": pa.string(), "date": pa.date32(), "integer": pa.int64(), "boolean": pa.bool_()}


@dataclass
class Report:
    """What an import did: rows written, files read, and what was not used."""

    rows: dict[str, int] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        return {"rows": self.rows, "read": self.read, "absent": self.absent, "unused": self.unused, "notes": self.notes}

    def text(self) -> str:
        """Return the report as lines."""
        lines = [f"read {n:,} rows of {name}" for name, n in self.read.items()]
        lines += [f"wrote {n:,} rows of {name}" for name, n in self.rows.items()]
        lines += [f"absent: {a}" for a in self.absent] + [f"not used: {u}" for u in self.unused] + self.notes
        return "\n".join(lines)


@dataclass(frozen=True)
class Return:
    """A format of a return.

    Attributes
    ----------
    name : str
    title : str
    fills : tuple of str
        The tables it fills.
    cannot_know : tuple of str
        What the return does not carry.
    convert : callable
        Turns ``{file stem: rows}`` and the key of pseudonyms into rows of each table; writes its remarks into the report.
    """

    name: str
    title: str
    fills: tuple[str, ...]
    cannot_know: tuple[str, ...]
    convert: Callable[[dict[str, list[dict[str, str]]], bytes | None, Report], dict[str, list[dict[str, Any]]]]

    def describe(self) -> dict[str, Any]:
        """Return the description ready for JSON."""
        return {"title": self.title, "fills": list(self.fills), "cannot_know": list(self.cannot_know)}

    def text(self) -> str:
        """Return the description as lines."""
        return (
            f"{self.name}: {self.title}\n  fills: {', '.join(self.fills)}\n  cannot know: {'; '.join(self.cannot_know)}"
        )


def import_return(form: Return, sources: list[Path], into: Path, key: bytes | None) -> Report:
    """Read a return into a new histories folder.

    Parameters
    ----------
    sources : list of Path
        Files, or folders of files.
    into : Path
        A folder that does not exist yet, or is empty.
    key : bytes or None
        Key of the pseudonyms.

    Raises
    ------
    Faults
        With everything that is wrong; nothing is written then.
    """
    if faults := not_new(into):
        raise Faults(faults)
    report = Report()
    tables = form.convert(_read_all(sources, report), key, report)
    with new_folder(into) as beside:
        for name, rows in tables.items():
            columns = TABLES[name].columns.values()
            table = pa.table({c.name: pa.array([r.get(c.name) for r in rows], KINDS[c.kind]) for c in columns})
            pq.write_table(table, beside / f"{name}.parquet", compression="zstd")
            report.rows[name] = len(rows)
    return report


def _read_all(sources: list[Path], report: Report) -> dict[str, list[dict[str, str]]]:
    files, faults = [], []
    for source in sources:
        if source.is_dir():
            files += sorted(source.glob("*.csv"))
        elif source.is_file():
            files.append(source)
        else:
            faults.append(
                Fault("there is no such file or folder", str(source), "Name a file of the return, or a folder of them.")
            )
    if not files and not faults:
        faults.append(
            Fault("there is no CSV file", ", ".join(map(str, sources)), "Name a folder with the files of the return.")
        )
    read: dict[str, list[dict[str, str]]] = {}
    for file in files:
        try:
            read[file.stem.lower()] = rows = _read(file)
            report.read[file.name] = len(rows)
        except Faults as found:
            faults += found.faults
    if faults:
        raise Faults(faults)
    return read


def _read(file: Path) -> list[dict[str, str]]:
    do = "Export it again as CSV with commas, in UTF-8."
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            head = next(reader, None)
            if not head:
                raise Faults(Fault("the file is empty", str(file), do))
            names = [h.strip().lower() for h in head]
            doubled = sorted({n for n in names if names.count(n) > 1})
            if doubled:
                raise Faults(Fault("the header names a column twice", f"{file}, columns {', '.join(doubled)}", do))
            rows = []
            for n, row in enumerate(reader, start=2):
                if len(row) != len(names):
                    raise Faults(
                        Fault(f"the row has {len(row)} fields, the header {len(names)}", f"{file}, line {n}", do)
                    )
                rows.append(dict(zip(names, row, strict=True)))
            return rows
    except (UnicodeDecodeError, csv.Error) as error:
        raise Faults(Fault("the file cannot be read as CSV in UTF-8", str(file), do)) from error
