"""Read the files of a histories folder into DuckDB, and report all their faults at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.sql import literal
from histories.tables import TABLES, Column, Table

SQL_TYPES = {"text": "VARCHAR", "date": "DATE", "integer": "BIGINT", "boolean": "BOOLEAN"}
WANTED = {
    "date": "a date such as 2024-09-04",
    "integer": "a whole number",
    "boolean": "true or false",
    "text": "text",
}
# DuckDB's casts are lenient (2024-1-2, 1.5); only these forms are accepted.
FORMS = {"date": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "integer": "^[+-]?[0-9]+$"}
SHOWN = 10  # row numbers named in a message
NUMBERED, PLACE = "numbered_", "row_number"  # prefix of the view with row numbers, and its column
DATE_TYPES = ("DATE", "TIMESTAMP")


def need_folder(folder: Path) -> None:
    """Raise a fault if a histories folder does not exist."""
    if not folder.is_dir():
        raise Faults(
            Fault("there is no such folder", str(folder), "Name a folder of histories (see docs/histories.md).")
        )


def find_files(folder: Path) -> tuple[dict[str, list[Path]], list[str]]:
    """Find the files of each table; warn of ignored files.

    Raises
    ------
    Faults
        If the folder or a required table is missing, or a table exists twice.
    """
    need_folder(folder)
    files: dict[str, list[Path]] = {}
    warnings, faults = [], []
    for entry in sorted(folder.iterdir()):
        name = entry.name.split(".")[0]
        parts = sorted(entry.glob("*.parquet")) if entry.is_dir() else [entry]
        kind = entry.name[len(name) :]
        if entry.name.startswith(".") or name == "truth":
            continue
        if name not in TABLES or (not entry.is_dir() and kind not in (".parquet", ".csv", ".csv.gz")) or not parts:
            warnings.append(f"{entry.name} is not a table of histories and is ignored")
        elif name in files:
            do = "Keep one of them."
            faults.append(Fault("the table exists twice", f"{folder}, {name}", do))
        else:
            files[name] = parts
    for name, table in TABLES.items():
        if table.required and name not in files:
            do = f"Put {name}.parquet or {name}.csv into the folder; docs/histories.md lists its columns."
            faults.append(Fault("a required table is missing", f"{folder}, {name}", do))
    if faults:
        raise Faults(faults)
    return files, warnings


def read_tables(connection: Any, files: dict[str, list[Path]], warnings: list[str]) -> dict[str, str]:
    """Create a DuckDB view or table for each declared table.

    Returns
    -------
    dict
        The name of the DuckDB relation of each table: declared columns only, dates as day numbers.

    Raises
    ------
    Faults
        With the faults of all files.
    """
    natives, faults = {}, []
    for name, paths in files.items():
        try:
            natives[name] = _read_table(connection, TABLES[name], paths, warnings)
        except Faults as error:
            faults += error.faults
    if faults:
        raise Faults(faults)
    return natives


def _read_table(connection: Any, table: type[Table], paths: list[Path], warnings: list[str]) -> str:
    where = str(paths[0] if len(paths) == 1 else paths[0].parent)
    source, is_csv = _source(paths)
    types = _columns(connection, source, where)
    check_columns(table, types, where, warnings, any_type=is_csv)
    name = f"t_{table.table}"
    if is_csv:
        _execute(
            connection,
            f"CREATE TABLE raw_{name} AS SELECT *, row_number() OVER () AS onroll_row FROM {source}",
            where,
        )
        source = f"raw_{name}"
    else:
        _execute(connection, f"SELECT * FROM {source} LIMIT 1", where)
    faults = _bad_values(connection=connection, table=table, types=types, source=source, where=where, is_csv=is_csv)
    if faults:
        raise Faults(faults)
    kind = "TABLE" if is_csv else "VIEW"
    chosen = ", ".join(_canonical(c, types) for c in table.columns.values())
    connection.execute(f"CREATE {kind} {name} AS SELECT {chosen} FROM {source}")
    numbered, number = _numbered(source, paths, is_csv)
    connection.execute(f"CREATE VIEW {NUMBERED}{name} AS SELECT {chosen}, {number} AS {PLACE} FROM {numbered}")
    return name


def _numbered(source: str, paths: list[Path], is_csv: bool) -> tuple[str, str]:
    """Return a source with row numbers, and the SQL of a row's position, including its file if there are several."""
    if is_csv:
        return source, "CAST(onroll_row AS VARCHAR)"
    counted = source.replace("union_by_name = true", "union_by_name = true, file_row_number = true, filename = true")
    number = "CAST(file_row_number + 1 AS VARCHAR)"
    return counted, number if len(paths) == 1 else f"parse_filename(filename) || ':' || {number}"


def _source(paths: list[Path]) -> tuple[str, bool]:
    listed = "[" + ", ".join(literal(p) for p in paths) + "]"
    if paths[0].suffix == ".parquet":
        return f"read_parquet({listed}, union_by_name = true)", False
    return (
        f"read_csv({listed}, all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '')",
        True,
    )


def _columns(connection: Any, source: str, where: str) -> dict[str, str]:
    return {row[0]: row[1] for row in _execute(connection, f"DESCRIBE SELECT * FROM {source}", where)}


def _execute(connection: Any, sql: str, where: str) -> list[tuple]:
    """Run a statement that reads a file; a damaged file is a fault that names it, without DuckDB's message."""
    import duckdb

    try:
        return connection.execute(sql).fetchall()
    except duckdb.OutOfMemoryException:
        raise  # the file itself is fine
    except (duckdb.Error, UnicodeDecodeError) as error:
        what = f"the file cannot be read as {'Parquet' if 'read_parquet' in sql else 'CSV in UTF-8 with commas'}"
        do = "It may be truncated, in another encoding or have rows of different lengths: export it again."
        raise Faults(Fault(what, where, do)) from error


def check_columns(
    table: type[Table], types: dict[str, str], where: str, warnings: list[str], *, any_type: bool = False
) -> None:
    """Warn of undeclared columns; raise faults for missing columns and wrong types.

    Parameters
    ----------
    types : dict
        The type of each column, in DuckDB's names.
    any_type : bool
        Skip the types, since every column is text.
    """
    warnings += [f"{where}: column {c} is not declared and is ignored" for c in types if c not in table.columns]
    faults = [
        Fault(
            "a required column is missing",
            f"{where}, column {c.name}",
            "Add the column; docs/histories.md describes it.",
        )
        for c in table.columns.values()
        if c.required and c.name not in types
    ]
    faults += [] if any_type else _wrong_types(table, types, where)
    if faults:
        raise Faults(faults)


def _wrong_types(table: type[Table], types: dict[str, str], where: str) -> list[Fault]:
    fits = {
        "date": lambda t: t.startswith(DATE_TYPES) or t == "VARCHAR",
        "integer": lambda t: "INT" in t or t == "VARCHAR",
        "boolean": lambda t: t in ("BOOLEAN", "VARCHAR"),
        "text": lambda t: t == "VARCHAR" or t.startswith("ENUM") or "INT" in t,
    }
    return [
        Fault(
            f"the column holds {types[c.name].lower()}, not {WANTED[c.kind]}",
            f"{where}, column {c.name}",
            "Write it with that type.",
        )
        for c in table.columns.values()
        if c.name in types and not (fits[c.kind](types[c.name]) or types[c.name] == '"NULL"')
    ]


def value_tests(table: type[Table], types: dict[str, str], matches: str) -> list[tuple[Column, str, str]]:
    """Return the faults of a value as conditions in SQL common to DuckDB and Spark.

    Parameters
    ----------
    matches : str
        The engine's function that matches a regular expression.

    Returns
    -------
    list of (Column, str, str)
        The column, what is wrong, and the condition.
    """
    tests: list[tuple[Column, str, str]] = []
    for c in table.columns.values():
        if c.name not in types:
            continue
        if c.required:
            tests.append((c, "is empty", f"{c.name} IS NULL"))
        if types[c.name] == "VARCHAR" and c.kind != "text":
            cast = f"TRY_CAST({c.name} AS {SQL_TYPES[c.kind]})"
            form = FORMS.get(c.kind)
            strict = f" OR NOT {matches}({c.name}, '{form}')" if form else ""
            tests.append((c, f"is not {WANTED[c.kind]}", f"{c.name} IS NOT NULL AND ({cast} IS NULL{strict})"))
    return tests


def bad_value(c: Column, what: str, count: int, where: str, rows: str = "") -> Fault:
    """Return the fault for invalid values in a column."""
    do = f"Write {WANTED[c.kind]} in every row of the column{'' if c.required else ', or leave it empty'}."
    return Fault(f"{count} of its rows: the value {what}", f"{where}, column {c.name}{rows}", do)


def _bad_values(
    connection: Any, table: type[Table], types: dict[str, str], source: str, where: str, is_csv: bool
) -> list[Fault]:
    """Find nulls in required columns and text that does not parse, in one pass over the file."""
    tests = value_tests(table, types, "regexp_matches")
    if not tests:
        return []
    counts = _execute(
        connection,
        "SELECT " + ", ".join(f"count(*) FILTER ({t})" for *_, t in tests) + f" FROM {source}",
        where,
    )[0]
    faults = []
    for (c, what, test), count in zip(tests, counts, strict=True):
        if count:
            faults.append(bad_value(c, what, count, where, f", {_rows(connection, source, test, is_csv)}"))
    return faults


def _rows(connection: Any, source: str, test: str, is_csv: bool) -> str:
    number = "onroll_row" if is_csv else "file_row_number + 1"
    if not is_csv:
        source = source.replace("union_by_name = true", "union_by_name = true, file_row_number = true")
    numbers = connection.execute(f"SELECT {number} FROM {source} WHERE {test} ORDER BY 1 LIMIT {SHOWN}").fetchall()
    return "rows " + ", ".join(str(r[0]) for r in numbers) + (" …" if len(numbers) == SHOWN else "")


def _canonical(c: Column, types: dict[str, str]) -> str:
    if c.name not in types:
        kind = "INTEGER" if c.kind == "date" else SQL_TYPES[c.kind]
        return f'CAST(NULL AS {kind}) AS "{c.name}"'
    if c.kind == "date":
        return f'CAST(CAST("{c.name}" AS DATE) - DATE \'1970-01-01\' AS INTEGER) AS "{c.name}"'
    return f'CAST("{c.name}" AS {SQL_TYPES[c.kind]}) AS "{c.name}"'
