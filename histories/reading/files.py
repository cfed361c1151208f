"""Read the files of a histories folder into DuckDB, and report all their faults at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from histories.codes import code_set
from histories.errors import Fault, Faults
from histories.io.delimited import Delimited, readable
from histories.io.quantities import quantity
from histories.io.sql import literal, literals
from histories.reading.folder import as_one, headings_of_files
from histories.reading.typed_columns import (
    SQL_TYPES,
    WANTED,
    SourceColumn,
    declared_columns,
    value_faults,
    value_sql,
    warning_tests,
)
from histories.reading.unmatched import LINKS, warnings_of_unmatched
from histories.reading.usable import ENDS_EARLY
from histories.reading.values import stripped_sql, unclean_sql
from histories.tables import TABLES, Column, Table

FEW_ROWS = 100_000  # up to this size one pass over all rows is faster than one over each column's distinct values
IN_LONDON = "SET TimeZone = 'Europe/London'"  # for dates beside timestamps with a zone, in different files of a table
SHOWN = 10  # row numbers named in a message
NUMBERED, PLACE = "numbered_", "row_number"  # prefix of the view with row numbers, and its column


@dataclass(frozen=True, kw_only=True)
class ReadTable:
    """One table that was read; see ``ReadTables``."""

    native: str
    odd_columns: tuple[str, ...]
    keys_as_written: bool
    is_unlike: bool
    keys: dict[str, str]


@dataclass(frozen=True, kw_only=True)
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
    unlike : frozenset of str
        Tables in Parquet whose files write a column in different ways: headings that differ in blanks, or types.
    """

    natives: dict[str, str]
    odd_columns: dict[str, tuple[str, ...]]
    keys_as_written: frozenset[str]
    unlike: frozenset[str]


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
    read: dict[str, ReadTable] = {}
    faults = []
    for name, paths in files.items():
        try:
            read[name] = _read_table(connection, TABLES[name], paths, warnings, scratch)
        except Faults as error:
            faults += error.faults
    if faults:
        raise Faults(faults)
    keys = {(name, column): sql for name, table in read.items() for column, sql in table.keys.items()}
    warnings += warnings_of_unmatched(lambda sql: connection.execute(sql).fetchall()[0], keys)
    return ReadTables(
        natives={name: table.native for name, table in read.items()},
        odd_columns={name: table.odd_columns for name, table in read.items()},
        keys_as_written=frozenset(name for name, table in read.items() if table.keys_as_written),
        unlike=frozenset(name for name, table in read.items() if table.is_unlike),
    )


def _read_table(
    connection: Any, table: type[Table], paths: list[Path], warnings: list[str], scratch: Path
) -> ReadTable:
    where = str(paths[0] if len(paths) == 1 else paths[0].parent)
    source, text = _source(paths, scratch)
    types, is_csv = _types_of(connection, source, where, text), text is not None
    # DuckDB takes rows that are longer than the headings for the table, and the headings for a title.
    if text and len(types) != len(text.headings()):
        raise Faults(_uneven(text, where))
    written = headings_of_files(table, paths, scratch)
    if not is_csv and (source_of_all := as_one(source, written)) != source:
        source, types = source_of_all, _types_of(connection, source_of_all, where)
    columns = declared_columns(table, types, where, warnings, any_type=is_csv)
    name = f"t_{table.table}"
    if is_csv:
        filled = " OR ".join(f"{stripped_sql(SourceColumn(c, 'VARCHAR').quoted, 'duckdb')} IS NOT NULL" for c in types)
        rows = f"SELECT *, row_number() OVER () AS onroll_row FROM {source}"
        _execute(connection, f"CREATE TABLE raw_{name} AS SELECT * FROM ({rows}) WHERE {filled}", where, text)
        source = f"raw_{name}"
    else:
        _execute(connection, f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {source} LIMIT 1", where)
    checked = Source(connection=connection, table=table, columns=columns, sql=source, where=where, is_csv=is_csv)
    values = checked.values()
    chosen = ", ".join(_canonical(c, values) for c in table.columns.values())
    connection.execute(f"CREATE {'TABLE' if is_csv else 'VIEW'} {name} AS SELECT {chosen} FROM {source}")
    numbered, number = _numbered(source, paths, is_csv)
    connection.execute(f"CREATE VIEW {NUMBERED}{name} AS SELECT {chosen}, {number} AS {PLACE} FROM {numbered}")
    return ReadTable(
        native=name,
        odd_columns=checked.warn(values, warnings),
        keys_as_written=not is_csv and values.get("pupil_id") == checked.value_sql(()).get("pupil_id"),
        is_unlike=not is_csv and any(w.is_unlike for w in written.values()),
        keys={column: checked.keys(column, values[column], name) for column in LINKS if column in columns},
    )


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

    def keys(self, column: str, value: str, native: str) -> str:
        """Return the SQL of the keys in a column with their number of rows, of a large table from what has been counted already."""
        seen = f"seen_{self.table.table}_{column}"
        if seen in self.seen:
            return f"SELECT {value} AS key, onroll_rows AS times FROM {seen}"
        return f"SELECT {column} AS key, count(*) AS times FROM {native} GROUP BY 1"

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


def _numbered(source: str, paths: list[Path], is_csv: bool) -> tuple[str, str]:
    """Return a source with row numbers, and the SQL of a row's position, including its file if there are several."""
    if is_csv:
        return source, "CAST(onroll_row AS VARCHAR)"
    counted = source.replace("union_by_name = true", "union_by_name = true, file_row_number = true, filename = true")
    number = "CAST(file_row_number + 1 AS VARCHAR)"
    return counted, number if len(paths) == 1 else f"parse_filename(filename) || ':' || {number}"


def _source(paths: list[Path], scratch: Path) -> tuple[str, Delimited | None]:
    if paths[0].suffix.lower() == ".parquet":
        listed = "[" + ", ".join(literal(p) for p in paths) + "]"
        # A partition folder (month=1) is a location, never a column.
        return f"read_parquet({listed}, union_by_name = true, hive_partitioning = false)", None
    text = readable(paths[0], scratch)
    options = f"all_varchar = true, header = true, delim = {literal(text.delimiter)}"
    return f"read_csv({literal(text.file)}, {options}, quote = '\"', escape = '\"', nullstr = '')", text


def _types_of(connection: Any, source: str, where: str, text: Delimited | None = None) -> dict[str, str]:
    return {row[0]: row[1] for row in _execute(connection, f"DESCRIBE SELECT * FROM {source}", where, text)}


def _execute(connection: Any, sql: str, where: str, text: Delimited | None = None) -> list[tuple]:
    """Run a statement that reads a file; a damaged file is a fault that names it and its lines, without DuckDB's message."""
    import duckdb

    try:
        return connection.execute(sql).fetchall()
    except duckdb.OutOfMemoryException:
        raise  # the file itself is fine
    except (duckdb.Error, UnicodeDecodeError) as error:
        if text and text.uneven(1):
            raise Faults(_uneven(text, where)) from error
        what = f"the file cannot be read as {'Parquet' if 'read_parquet' in sql else 'CSV'}"
        do = "The file may be truncated or have another encoding: export it again."
        raise Faults(Fault(what, where, do)) from error


def _uneven(text: Delimited, where: str) -> Fault:
    lines = text.uneven(SHOWN)
    where += f", line{'s' * (len(lines) > 1)} {', '.join(map(str, lines))}{' …' * (len(lines) == SHOWN)}"
    do = "Give each row as many cells as there are headings, or export the file again: a comma within a cell needs quotation marks."
    return Fault("rows have more or fewer cells than there are headings", where, do)


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
