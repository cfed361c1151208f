"""What a format of a return is, and the one way to read it: beside, joined to what is there, checked by opening, then renamed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.atomic_write import finish_replacing, new_folder
from histories.io.sql import literal
from histories.linking.link import link, write_people
from histories.linking.store import LinkageStore
from histories.reading.files import SQL_TYPES
from histories.returns.pupil_keys import People
from histories.returns.staging import Staging
from histories.tables import TABLES, Table


@dataclass(kw_only=True)
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
        lines += [f"now {n:,} rows in {name}" for name, n in self.rows.items()]
        lines += [f"absent: {a}" for a in self.absent] + [f"not used: {u}" for u in self.unused] + self.notes
        return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Return:
    """A format of a return.

    Attributes
    ----------
    name, title : str
    fills : tuple of str
        The tables it fills.
    cannot_know : tuple of str
        What the return does not carry.
    convert : callable
        Makes ``out_<table>`` from the files; keeps its remarks in the report and what is wrong in the staging.
    suffixes : tuple of str
        How its files end.
    mappable : bool
        Whether ``--mapping`` names its columns.
    """

    name: str
    title: str
    fills: tuple[str, ...]
    cannot_know: tuple[str, ...]
    convert: Callable[..., None]
    suffixes: tuple[str, ...] = (".csv",)
    mappable: bool = False

    def describe(self) -> dict[str, Any]:
        """Return the description ready for JSON."""
        return {"title": self.title, "fills": list(self.fills), "cannot_know": list(self.cannot_know)}

    def text(self) -> str:
        """Return the description as lines."""
        return (
            f"{self.name}: {self.title}\n  fills: {', '.join(self.fills)}\n  cannot know: {'; '.join(self.cannot_know)}"
        )


def import_return(
    form: Return,
    sources: list[Path],
    into: Path,
    key: bytes | None,
    *,
    mapping: Path | None = None,
    persons: Path | None = None,
    memory: str | None = None,
) -> Report:
    """Read a return into a histories folder, new or there already.

    What is there stays: rows that are not there yet are added; a pupil, a school and an area has one row, in which what the
    return says fills what was empty or takes its place.

    Parameters
    ----------
    sources : list of Path
        Files, or folders of files.
    into : Path
        The histories folder.
    key : bytes or None
        Key of the pseudonyms.
    mapping : Path, optional
        Names of columns, for formats that differ by supplier.
    persons : Path, optional
        A list of the persons of the return with names, to link those without a UPN first.

    Raises
    ------
    Faults
        With everything that is wrong; the histories are not changed then.
    """
    report = Report()
    files = _files(form, sources)
    finish_replacing(into)
    _may_write(into)
    if persons is not None:
        linked = link(into, persons)
        report.notes.append("linking: " + ", ".join(f"{n:,} {what.replace('_', ' ')}" for what, n in linked.items()))
    with tempfile.TemporaryDirectory(prefix="onroll-") as scratch:
        staging = Staging(Path(scratch), memory)
        people = People(staging, key, into)
        form.convert(staging, people, files, report, *([mapping] if form.mappable else []))
        staging.raise_faults()
        if people.wrong_letters:
            report.notes.append(
                f"{len(people.wrong_letters)} UPNs have a wrong check letter; they are kept as they are"
            )
        if people.changed:
            report.notes.append(f"{len(people.changed)} changed UPNs were followed to the child they belong to")
        if people.doubled:
            report.notes.append(
                f"{len(people.doubled)} changed UPNs had a key of their own already: those children stand twice in the histories"
            )
        if people.unlinked:
            report.notes.append(
                f"{len(people.unlinked)} children without a UPN and without a link were left out; run 'onroll link' and import again"
            )
        _write(staging, into, report)
        if staging.sql("SELECT 1 FROM duckdb_tables() WHERE table_name = 'names'"):
            store = LinkageStore(into)
            known = write_people(staging.connection, "SELECT * FROM names", store)
            report.notes.append(
                f"names of {known:,} children are in the linkage store {store.folder.name}, beside the histories"
            )
        staging.connection.close()
    return report


def _files(form: Return, sources: list[Path]) -> list[Path]:
    files, faults = [], []
    for source in sources:
        if source.is_dir():
            files += sorted(f for f in source.iterdir() if f.suffix.lower() in form.suffixes)
        elif source.is_file():
            files.append(source)
        else:
            do = "Name a file of the return, or a folder of them."
            faults.append(Fault("there is no such file or folder", str(source), do))
    if not files and not faults:
        do = f"Name a folder with the files of the return; they end in {' or '.join(form.suffixes)}."
        faults.append(Fault("there is no file of the format", ", ".join(map(str, sources)), do))
    if faults:
        raise Faults(faults)
    return files


def _may_write(into: Path) -> None:
    """Refuse a folder that holds what imports did not write, so that nothing of somebody else's is replaced."""
    strange = [f for f in into.iterdir() if f.suffix != ".parquet" or f.stem not in TABLES] if into.is_dir() else []
    if strange or (into.exists() and not into.is_dir()):
        do = "Name a new folder, or one that holds imported tables (Parquet) only."
        raise Faults(Fault("the folder holds something else than imported histories", str(into), do))


def _write(staging: Staging, into: Path, report: Report) -> None:
    there = {
        r[0] for r in staging.sql("SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views()")
    }
    made = [t for t in TABLES if f"out_{t}" in there]
    # A table that the return could not fill stays absent, so that its features are missing and not zero.
    empty = [t for t in made if not staging.sql(f"SELECT 1 FROM out_{t} LIMIT 1")]
    report.notes += [f"{t}: the return holds nothing for it" for t in empty]
    made = [t for t in made if t not in empty]
    if not made:
        raise Faults(
            Fault(
                "the return holds no row that could be used",
                str(into),
                "Look at the remarks of 'onroll import --list'.",
            )
        )
    with new_folder(into, keep=True) as beside:
        for file in sorted(into.glob("*.parquet")) if into.is_dir() else []:
            if file.stem not in made:
                shutil.copy2(file, beside / file.name)
        for name in made:
            before = into / f"{name}.parquet"
            _join(staging, TABLES[name], before if before.is_file() else None, beside / f"{name}.parquet")
            report.rows[name] = int(
                staging.sql(f"SELECT count(*) FROM read_parquet({literal(beside / f'{name}.parquet')})")[0][0]
            )
        if all((beside / f"{t}.parquet").is_file() for t, declared in TABLES.items() if declared.required):
            from histories.reading.histories import Histories

            Histories.open(beside)
        else:
            lacking = [
                t for t, declared in TABLES.items() if declared.required and not (beside / f"{t}.parquet").is_file()
            ]
            report.notes.append(f"the folder lacks {' and '.join(lacking)} still: import a return that fills them too")


def _join(staging: Staging, table: type[Table], before: Path | None, after: Path) -> None:
    """Write the rows of a table: those of before and those that are new."""
    have = {r[0] for r in staging.sql(f"DESCRIBE out_{table.table}")}
    columns = list(table.columns.values())
    given = {c.name: f'"{c.name}"' if c.name in have else "NULL" for c in columns}
    cast = ", ".join(f'CAST({given[c.name]} AS {SQL_TYPES[c.kind]}) AS "{c.name}"' for c in columns)
    new = f"SELECT {cast} FROM out_{table.table}"
    if table.always_known or table.table == "pupils":
        old = f"SELECT *, 0 AS turn FROM read_parquet({literal(before)}) UNION ALL BY NAME " if before else ""
        rest = [c.name for c in columns if c.name not in table.key]
        latest = ", ".join(f'arg_max("{c}", turn) FILTER ("{c}" IS NOT NULL) AS "{c}"' for c in rest)
        keys = ", ".join(f'"{k}"' for k in table.key)
        query = f"SELECT {keys}, {latest} FROM ({old} SELECT *, 1 AS turn FROM ({new})) GROUP BY {keys} ORDER BY {keys}"
    elif before:
        # What the return says anew of the same thing on the same day takes the place of what it said before.
        told = [*table.key, *[c for c in ("recorded_on",) if c in table.columns and c not in table.key]]
        same = " AND ".join(f'o."{k}" IS NOT DISTINCT FROM n."{k}"' for k in told)
        old = f"SELECT * FROM read_parquet({literal(before)}) o WHERE NOT EXISTS (SELECT 1 FROM ({new}) n WHERE {same})"
        query = f"({old}) UNION ALL BY NAME ({new})"
    else:
        query = new
    staging.sql(f"COPY ({query}) TO {literal(after)} (FORMAT parquet, COMPRESSION zstd)")
