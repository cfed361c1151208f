"""Find the files of each table in a folder of histories, and how they write its columns: case and blanks of a heading make no difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from histories.errors import Fault, Faults
from histories.io.delimited import heading, readable
from histories.io.quantities import quantity
from histories.io.told_names import MAX_NAMED
from histories.reading.typed_columns import TWICE
from histories.tables import TABLES, Table

CSV = (".csv", ".csv.gz")


def need_folder(folder: Path) -> None:
    """Raise a fault if a histories folder does not exist."""
    if not folder.is_dir():
        raise Faults(
            Fault("there is no such folder", str(folder), "Name a folder of histories (see docs/histories.md).")
        )


def find_files(folder: Path) -> tuple[dict[str, list[Path]], list[str]]:
    """Find the files of each table; warn of ignored files.

    A table is ``<table>.parquet``, ``<table>.csv``, ``<table>.csv.gz``, or a folder ``<table>`` of Parquet files, which may be
    partitioned into ``key=value`` folders.

    Raises
    ------
    Faults
        If the folder or a required table is missing, or a table exists twice.
    """
    need_folder(folder)
    files: dict[str, list[Path]] = {}
    warnings: list[str] = []
    faults: list[Fault] = []
    for entry in sorted(folder.iterdir()):
        stem = entry.name.split(".")[0]
        name, ending = heading(stem), entry.name[len(stem) :].lower()
        if entry.name.startswith(".") or name == "truth":
            continue
        paths, others = _files_below(entry) if entry.is_dir() and name in TABLES else ([entry], [])
        if name not in TABLES:
            warnings.append(f"{entry.name} is not a table of histories and is ignored")
            continue
        if entry.is_dir():
            told, refused = _told_others(name, entry, others, is_read=bool(paths))
            warnings, faults = warnings + told, faults + refused
        if not paths:
            continue
        if not entry.is_dir() and ending not in (".parquet", *CSV):
            warnings.append(f"{entry.name} is neither Parquet nor CSV and is ignored: the table {name} is missing")
        elif name in files:
            faults.append(Fault("the table exists twice", f"{folder}, {name}", "Keep one of them."))
        else:
            files[name] = paths
    for name, table in TABLES.items():
        if table.required and name not in files:
            do = f"Put {name}.parquet or {name}.csv into the folder; docs/histories.md lists its columns."
            faults.append(Fault("a required table is missing", f"{folder}, {name}", do))
    if faults:
        raise Faults(faults)
    return files, warnings


def _files_below(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the Parquet files below a folder, and the others, except metadata of platforms (``_SUCCESS``, ``_delta_log``)."""
    below = sorted(f for f in folder.rglob("*") if f.is_file())
    seen = [f for f in below if not any(part[0] in "._" for part in f.relative_to(folder).parts)]
    parquet = [f for f in seen if f.suffix.lower() == ".parquet"]
    return parquet, [f for f in seen if f not in set(parquet)]


def _told_others(name: str, entry: Path, others: list[Path], *, is_read: bool) -> tuple[list[str], list[Fault]]:
    """Return what is said of the files of a table's folder that are not Parquet: beside Parquet, CSV would be half a table.

    Returns
    -------
    list of str, list of Fault
    """
    named = ", ".join(str(f.relative_to(entry)) for f in others[:MAX_NAMED]) + (
        ", …" if len(others) > MAX_NAMED else ""
    )
    if not is_read:
        what = f"{entry.name} is a folder without Parquet files and is ignored: the table {name} is missing"
        return [f"{what}; a table in CSV is one file, {name}.csv"], []
    if any(f.name.lower().endswith(CSV) for f in others):
        do = f"Write all of it as Parquet, or as one file {name}.csv."
        return [], [Fault(f"the folder holds Parquet files and others, such as CSV ({named})", str(entry), do)]
    return [f"{entry.name}: {quantity(len(others), 'file')} not in Parquet, ignored: {named}"] if others else [], []


@dataclass(frozen=True)
class Written:
    """How files write a column.

    Attributes
    ----------
    names : dict
        The headings by their lower case, since DuckDB does not tell cases apart.
    types : set of str
        The types in Parquet.
    """

    names: dict[str, str] = field(default_factory=dict)
    types: set[str] = field(default_factory=set)

    @property
    def is_unlike(self) -> bool:
        """Whether files differ."""
        return len(self.names) > 1 or len(self.types) > 1


def headings_of_files(table: type[Table], paths: list[Path], scratch: Path) -> dict[str, Written]:
    """Return how the files of a table write its columns.

    Raises
    ------
    Faults
        If one file has two headings for a column; DuckDB would rename the second.
    """
    written: dict[str, Written] = {}
    faults = []
    for path in paths:
        seen = set()
        for name, kind in _headings(path, scratch):
            column = heading(name)
            if column not in table.columns:
                continue
            if column in seen:
                faults.append(Fault(TWICE, f"{path}, column {column}", "Keep one of them."))
            seen.add(column)
            of_column = written.setdefault(column, Written())
            of_column.names.setdefault(name.lower(), name)
            of_column.types.add(kind)
    if faults:
        raise Faults({(f.where, f.what): f for f in faults}.values())
    return written


def as_one(source: str, written: Mapping[str, Written]) -> str:
    """Return the SQL of a source of several files in which each column has one heading."""
    several = {column: [*w.names.values()] for column, w in written.items() if len(w.names) > 1}
    if not several:
        return source
    quoted = {column: ", ".join(_quoted(name) for name in names) for column, names in several.items()}
    one = ", ".join(f"coalesce({names}) AS {column}" for column, names in quoted.items())
    return f"(SELECT * EXCLUDE ({', '.join(quoted.values())}), {one} FROM {source})"


def _headings(path: Path, scratch: Path) -> list[tuple[str, str]]:
    if path.suffix.lower() != ".parquet":
        return [(name, "text") for name in readable(path, scratch).headings()]
    import pyarrow.parquet as pq

    return [(field.name, str(field.type)) for field in pq.read_schema(path)]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
