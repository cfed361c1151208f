"""Read the files of a histories folder into DuckDB, and report all their faults at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from histories.codes import code_set
from histories.errors import Fault, Faults
from histories.io.delimited import heading, readable
from histories.io.quantities import quantity
from histories.io.sql import literal, literals
from histories.reading.typed_columns import (
    SQL_TYPES,
    TWICE,
    WANTED,
    SourceColumn,
    declared_columns,
    value_faults,
    value_sql,
    warning_tests,
)
from histories.reading.usable import ENDS_EARLY
from histories.reading.values import stripped_sql, unclean_sql
from histories.tables import TABLES, Column, Table

FEW_ROWS = 100_000  # up to this size one pass over all rows is faster than one over each column's distinct values
SHOWN = 10  # row numbers named in a message
NUMBERED, PLACE = "numbered_", "row_number"  # prefix of the view with row numbers, and its column


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
    warnings, faults = [], []
    for entry in sorted(folder.iterdir()):
        stem = entry.name.split(".")[0]
        name, ending = heading(stem), entry.name[len(stem) :].lower()
        if entry.name.startswith(".") or name == "truth":
            continue
        paths = _parquet_of(entry) if entry.is_dir() else [entry]
        if name not in TABLES:
            warnings.append(f"{entry.name} is not a table of histories and is ignored")
        elif not paths or (not entry.is_dir() and ending not in (".parquet", ".csv", ".csv.gz")):
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


def _parquet_of(folder: Path) -> list[Path]:
    """Return the Parquet files below a folder, except metadata of platforms (``_SUCCESS``, ``_delta_log``)."""
    below = (f for f in folder.rglob("*.parquet") if f.is_file())
    return sorted(f for f in below if not any(part[0] in "._" for part in f.relative_to(folder).parts))


@dataclass(frozen=True)
class ReadTables:
    """The tables read from a folder.

    Attributes
    ----------
    natives : dict
        Name of the DuckDB relation by table: declared columns only, dates as day numbers.
    odd_columns : dict
        Columns with values that count as missing, by table; see ``Histories.frame``.
    keys_as_written : frozenset of str
        Tables in Parquet whose pupils' keys need no cleaning, so that their files may be decoded as they are.
    """

    natives: dict[str, str]
    odd_columns: dict[str, tuple[str, ...]]
    keys_as_written: frozenset[str]


def read_tables(connection: Any, files: dict[str, list[Path]], warnings: list[str], scratch: Path) -> ReadTables:
    """Create a DuckDB view or table for each declared table.

    Parameters
    ----------
    warnings : list of str
        Extended with everything ignored, dropped or treated as missing, by position and count.
    scratch : Path
        A folder for copies of text that is not in UTF-8.

    Raises
    ------
    Faults
        With the faults of all files.
    """
    natives, odd_columns, as_written, faults = {}, {}, {}, []
    for name, paths in files.items():
        try:
            natives[name], odd_columns[name], as_written[name] = _read_table(
                connection, TABLES[name], paths, warnings, scratch
            )
        except Faults as error:
            faults += error.faults
    if faults:
        raise Faults(faults)
    _warn_of_unmatched(connection, natives, warnings)
    return ReadTables(natives, odd_columns, frozenset(name for name in natives if as_written[name]))


def _read_table(
    connection: Any, table: type[Table], paths: list[Path], warnings: list[str], scratch: Path
) -> tuple[str, tuple[str, ...], bool]:
    where = str(paths[0] if len(paths) == 1 else paths[0].parent)
    source, is_csv = _source(paths, scratch)
    types = _types_of(connection, source, where)
    _check_headings(table, paths[0], where, scratch)
    columns = declared_columns(table, types, where, warnings, any_type=is_csv)
    name = f"t_{table.table}"
    if is_csv:
        filled = " OR ".join(f"{stripped_sql(SourceColumn(c, 'VARCHAR').quoted, 'duckdb')} IS NOT NULL" for c in types)
        rows = f"SELECT *, row_number() OVER () AS onroll_row FROM {source}"
        _execute(connection, f"CREATE TABLE raw_{name} AS SELECT * FROM ({rows}) WHERE {filled}", where)
        source = f"raw_{name}"
    else:
        _execute(connection, f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {source} LIMIT 1", where)
    checked = Source(connection=connection, table=table, columns=columns, sql=source, where=where, is_csv=is_csv)
    values = checked.values()
    chosen = ", ".join(_canonical(c, values) for c in table.columns.values())
    connection.execute(f"CREATE {'TABLE' if is_csv else 'VIEW'} {name} AS SELECT {chosen} FROM {source}")
    numbered, number = _numbered(source, paths, is_csv)
    connection.execute(f"CREATE VIEW {NUMBERED}{name} AS SELECT {chosen}, {number} AS {PLACE} FROM {numbered}")
    as_written = not is_csv and values.get("pupil_id") == checked.value_sql(()).get("pupil_id")
    return name, checked.warn(values, warnings), as_written


@dataclass(frozen=True, kw_only=True)
class Source:
    """The files of one table while they are checked."""

    connection: Any
    table: type[Table]
    columns: dict[str, SourceColumn]
    sql: str
    where: str
    is_csv: bool
    counts: dict[str, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)

    def values(self) -> dict[str, str]:
        """Return the SQL of each column's value; only columns with unclean text are cleaned.

        Raises
        ------
        Faults
            For empty required values and text that does not parse.
        """
        refused = value_faults(self.table, self.columns, "duckdb")
        texts = [n for n, s in self.columns.items() if s.is_text and self.table.columns[n].kind == "text"]
        asked = [] if self.is_csv else [(n, self._needs_cleaning(n)) for n in texts]
        # All at once, with the warnings of clean columns: planning a statement costs more than reading a small table.
        likely = warning_tests(self.table, self.value_sql(texts if self.is_csv else ()), "duckdb")
        counts = self._count([(c.name, test) for c, _, test in refused] + asked + [(n, test) for n, _, test in likely])
        faults = [
            bad_value(c, what, counts[test], self.where, f", {self._rows(test)}")
            for c, what, test in refused
            if counts[test]
        ]
        if faults:
            raise Faults(faults)
        return self.value_sql(texts if self.is_csv else [n for n, test in asked if counts[test]])

    def value_sql(self, dirty: Collection[str]) -> dict[str, str]:
        """Return the SQL of each column's value; only text in the given columns is cleaned."""
        return {n: value_sql(self.table.columns[n], s, "duckdb", clean=n in dirty) for n, s in self.columns.items()}

    def _needs_cleaning(self, name: str) -> str:
        c, text = self.table.columns[name], self.columns[name].quoted
        if not c.codes:
            return unclean_sql(text, "duckdb")
        return f"{text} IS NOT NULL AND {text} NOT IN {literals(sorted(code_set(c.codes)))}"

    def warn(self, values: dict[str, str], warnings: list[str]) -> tuple[str, ...]:
        """Warn of what counts as missing and of ends before starts; return the columns with values that count as missing."""
        tests = warning_tests(self.table, values, "duckdb")
        counts = self._count([(name, test) for name, _, test in tests])
        odd = []
        for name, what, test in tests:
            if count := counts[test]:
                warnings.append(f"{self.where}, column {name}: {quantity(count)}: {what} ({self._rows(test)})")
                odd += [name] if what != ENDS_EARLY else []
        return tuple(dict.fromkeys(odd))

    def _count(self, tests: list[tuple[str, str]]) -> dict[str, int]:
        """Count the rows that meet conditions on columns, each condition once.

        In large tables text is tested once per distinct value: a hundred million marks have few codes and pupils.
        """
        if not self.seen:
            self.seen["rows"] = _execute(self.connection, f"SELECT count(*) FROM {self.sql}", self.where)[0][0]
        passes: dict[tuple[str, ...], list[str]] = {}
        for name, test in tests:
            if test not in self.counts:
                passes.setdefault(self._tested_with(name) if self.seen["rows"] > FEW_ROWS else (), []).append(test)
        for names, chosen in passes.items():
            counted = "coalesce(sum(onroll_rows) FILTER ({}), 0)" if names else "count(*) FILTER ({})"
            source = self._distinct(names) if names else self.sql
            sums = ", ".join(counted.format(test) for test in chosen)
            row = _execute(self.connection, f"SELECT {sums} FROM {source}", self.where)[0]
            self.counts.update(zip(chosen, map(int, row), strict=True))
        return self.counts

    def _tested_with(self, name: str) -> tuple[str, ...]:
        """Return the text columns whose distinct values are read together: all that have codes, or this one; none for other types."""
        coded = [n for n, s in self.columns.items() if s.is_text and self.table.columns[n].codes]
        if name in coded:
            return tuple(coded)
        return (name,) if self.columns[name].is_text and self.table.columns[name].kind == "text" else ()

    def _distinct(self, names: tuple[str, ...]) -> str:
        """Return a table of the distinct values of columns and the number of rows with each."""
        seen = f"seen_{self.table.table}_{'_'.join(names)}"
        if seen not in self.seen:
            values = ", ".join(self.columns[name].quoted for name in names)
            rows = f"SELECT {values}, count(*) AS onroll_rows FROM {self.sql} GROUP BY ALL"
            _execute(self.connection, f"CREATE OR REPLACE TEMP TABLE {seen} AS {rows}", self.where)
            self.seen[seen] = 1
        return seen

    def _rows(self, test: str) -> str:
        number, source = "onroll_row", self.sql
        if not self.is_csv:
            number = "file_row_number + 1"
            source = source.replace("union_by_name = true", "union_by_name = true, file_row_number = true")
        rows = self.connection.execute(
            f"SELECT {number} FROM {source} WHERE {test} ORDER BY 1 LIMIT {SHOWN}"
        ).fetchall()
        return "rows " + ", ".join(str(r[0]) for r in rows) + (" …" if len(rows) == SHOWN else "")


def _warn_of_unmatched(connection: Any, natives: dict[str, str], warnings: list[str]) -> None:
    """Warn of spells of pupils missing from the pupils table; if none match, the keys are written differently."""
    if not {"pupils", "enrolments"} <= natives.keys():
        return
    spells, unmatched = connection.execute(
        f"SELECT count(*), count(*) FILTER (p.pupil_id IS NULL) FROM {natives['enrolments']} e "
        f"LEFT JOIN (SELECT DISTINCT pupil_id FROM {natives['pupils']}) p ON p.pupil_id = e.pupil_id"
    ).fetchall()[0]
    if unmatched:
        what = f"enrolments, column pupil_id: {unmatched:,} of {spells:,} rows have no match in pupils"
        why = "; check the keys in both files, which may have lost leading zeros" if unmatched == spells else ""
        warnings.append(what + why)


def _numbered(source: str, paths: list[Path], is_csv: bool) -> tuple[str, str]:
    """Return a source with row numbers, and the SQL of a row's position, including its file if there are several."""
    if is_csv:
        return source, "CAST(onroll_row AS VARCHAR)"
    counted = source.replace("union_by_name = true", "union_by_name = true, file_row_number = true, filename = true")
    number = "CAST(file_row_number + 1 AS VARCHAR)"
    return counted, number if len(paths) == 1 else f"parse_filename(filename) || ':' || {number}"


def _source(paths: list[Path], scratch: Path) -> tuple[str, bool]:
    if paths[0].suffix.lower() == ".parquet":
        listed = "[" + ", ".join(literal(p) for p in paths) + "]"
        # A partition folder (month=1) is a location, never a column.
        return f"read_parquet({listed}, union_by_name = true, hive_partitioning = false)", False
    text = readable(paths[0], scratch)
    options = f"all_varchar = true, header = true, delim = {literal(text.delimiter)}"
    return f"read_csv({literal(text.file)}, {options}, quote = '\"', escape = '\"', nullstr = '')", True


def _check_headings(table: type[Table], file: Path, where: str, scratch: Path) -> None:
    """Refuse two headings for one column; DuckDB would rename the second."""
    if file.suffix.lower() == ".parquet":
        import pyarrow.parquet as pq

        names = pq.read_schema(file).names
    else:
        names = readable(file, scratch).headings()
    columns = [heading(name) for name in names]
    twice = sorted({c for c in columns if columns.count(c) > 1 and c in table.columns})
    if twice:
        raise Faults([Fault(TWICE, f"{where}, column {name}", "Keep one of them.") for name in twice])


def _types_of(connection: Any, source: str, where: str) -> dict[str, str]:
    return {row[0]: row[1] for row in _execute(connection, f"DESCRIBE SELECT * FROM {source}", where)}


def _execute(connection: Any, sql: str, where: str) -> list[tuple]:
    """Run a statement that reads a file; a damaged file is a fault that names it, without DuckDB's message."""
    import duckdb

    try:
        return connection.execute(sql).fetchall()
    except duckdb.OutOfMemoryException:
        raise  # the file itself is fine
    except (duckdb.Error, UnicodeDecodeError) as error:
        what = f"the file cannot be read as {'Parquet' if 'read_parquet' in sql else 'CSV'}"
        do = "The file may be truncated, have another encoding or rows of different lengths: export it again."
        raise Faults(Fault(what, where, do)) from error


def bad_value(c: Column, what: str, count: int, where: str, rows: str = "") -> Fault:
    """Return the fault for invalid values in a column."""
    do = f"Write {WANTED[c.kind]} in every row of the column{'' if c.required else ', or leave it empty'}."
    return Fault(f"{count} of its rows: the value {what}", f"{where}, column {c.name}{rows}", do)


def _canonical(c: Column, values: dict[str, str]) -> str:
    if c.name not in values:
        kind = "INTEGER" if c.kind == "date" else SQL_TYPES[c.kind]
        return f'CAST(NULL AS {kind}) AS "{c.name}"'
    if c.kind == "date":
        return f"CAST({values[c.name]} - DATE '1970-01-01' AS INTEGER) AS \"{c.name}\""
    return f'{values[c.name]} AS "{c.name}"'
