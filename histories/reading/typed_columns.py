"""Match the columns of a file to declared columns: headings, types and invalid values, for DuckDB and Spark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from histories.errors import Fault, Faults
from histories.io.delimited import heading
from histories.io.quantities import quantity
from histories.io.sql import literal
from histories.io.told_names import name_in_file
from histories.reading.usable import ENDS_EARLY, missing_tests
from histories.reading.values import (
    codes_of,
    day_sql,
    flag_sql,
    number_sql,
    stripped_sql,
    text_sql,
    unclean_sql,
)
from histories.tables import Column, Table

SQL_TYPES = {"text": "VARCHAR", "date": "DATE", "integer": "BIGINT", "boolean": "BOOLEAN"}
WANTED = {
    "date": "a date such as 2024-09-04",
    "integer": "a whole number",
    "boolean": "true or false",
    "text": "text",
}
TEXT = {"duckdb": "VARCHAR", "spark": "STRING"}
TWICE = "the column exists twice: headings that differ only in case or blanks are the same column"
WITH_POINT = ("DOUBLE", "FLOAT", "DECIMAL", "REAL")
NOTHING = '"NULL"'  # DuckDB's type of a column without values


@dataclass(frozen=True)
class SourceColumn:
    """A column of a file that matches a declared column.

    Attributes
    ----------
    name : str
        The heading in the file.
    type : str
        Its type, in DuckDB's names.
    """

    name: str
    type: str

    @property
    def quoted(self) -> str:
        """The heading as SQL."""
        return '"' + self.name.replace('"', '""') + '"'

    @property
    def is_text(self) -> bool:
        """Whether the column is text."""
        return self.type == "VARCHAR" or self.type.startswith("ENUM")


def declared_columns(
    table: type[Table], types: Mapping[str, str], where: str, warnings: list[str], *, any_type: bool = False
) -> dict[str, SourceColumn]:
    """Find the declared columns of a file; warn of the others.

    Parameters
    ----------
    types : mapping
        The type of each column of the file, in DuckDB's names.
    any_type : bool
        Skip the types, since every column is text.

    Raises
    ------
    Faults
        For missing columns, repeated columns and wrong types.
    """
    columns: dict[str, SourceColumn] = {}
    faults = []
    others = []
    for position, (name, kind) in enumerate(types.items(), start=1):
        column = table.columns.get(heading(name))
        if column is None:
            others.append(f"{where}: column {name_in_file(name, position)} is not declared and is ignored")
        elif column.name in columns:
            faults.append(Fault(TWICE, f"{where}, column {column.name}", "Keep one of them."))
        else:
            columns[column.name] = SourceColumn(name, kind)
    faults += [
        Fault(
            "a required column is missing",
            f"{where}, column {c.name}",
            f"Add the column; the file has {quantity(len(types), 'column')}. Its first line must name them; docs/histories.md describes each.",
        )
        for c in table.columns.values()
        if c.required and c.name not in columns
    ]
    faults += [] if any_type else list(_wrong_types(table, columns, where))
    if faults:
        raise Faults(faults)
    warnings += others
    return columns


def _wrong_types(table: type[Table], columns: Mapping[str, SourceColumn], where: str) -> Iterable[Fault]:
    for name, source in columns.items():
        kind = source.type
        fits = {
            "date": kind.startswith(("DATE", "TIMESTAMP")),
            "integer": "INT" in kind or kind.startswith(WITH_POINT),
            "boolean": kind == "BOOLEAN" or "INT" in kind or kind.startswith(WITH_POINT),
            "text": "INT" in kind or kind.startswith(WITH_POINT),
        }
        wanted = table.columns[name].kind
        if not (source.is_text or kind == NOTHING or fits[wanted]):
            what = f"the column holds {kind.lower()}, not {WANTED[wanted]}"
            yield Fault(what, f"{where}, column {name}", "Write it with that type.")


def value_sql(c: Column, source: SourceColumn, engine: str, *, clean: bool = True) -> str:
    """Return the SQL of a column's value in its declared type (a date as DATE); text that cannot be parsed is null.

    Parameters
    ----------
    engine : {"duckdb", "spark"}
    clean : bool
        Whether text may need cleaning; if not, it is used unchanged.
    """
    x, kind = source.quoted if engine == "duckdb" else f"`{source.name}`", source.type
    text = TEXT[engine]
    if kind == NOTHING:
        return f"CAST(NULL AS {text if c.kind == 'text' else SQL_TYPES[c.kind]})"
    if source.is_text:
        if c.kind == "text":
            whole = f"CAST({x} AS {text})"
            if not clean:
                return whole
            return _code_sql(c, text_sql(whole, engine), engine) if c.codes else text_sql(whole, engine)
        return {"date": day_sql, "integer": number_sql, "boolean": flag_sql}[c.kind](f"CAST({x} AS {text})", engine)
    if c.kind == "date":
        if "WITH TIME ZONE" in kind and engine == "duckdb":
            return f"CAST({x} AT TIME ZONE 'Europe/London' AS DATE)"
        return f"CAST({x} AS DATE)"
    if kind.startswith(WITH_POINT):
        number = f"CAST({x} AS DOUBLE)"
        whole = f"CASE WHEN NOT isnan({number}) AND {number} = floor({number}) THEN TRY_CAST({x} AS BIGINT) END"
        kinds = {"text": f"CAST({whole} AS {text})", "integer": whole, "boolean": f"CAST({whole} AS BOOLEAN)"}
        return kinds[c.kind]
    return f"CAST({x} AS {text if c.kind == 'text' else SQL_TYPES[c.kind]})"


def _code_sql(c: Column, text: str, engine: str) -> str:
    """Return the SQL of a text's code; unknown codes are kept, so that a warning can count them."""
    assert c.codes  # nosec B101 # tells mypy; only called for columns with codes
    others = {written: code for written, code in codes_of(c.codes).items() if written != code}
    upper = f"upper({text})"
    same = [code for written, code in codes_of(c.codes).items() if written == code]
    listed = ", ".join(literal(code, engine) for code in same)
    cases = "".join(
        f" WHEN {upper} = {literal(written, engine)} THEN {literal(code, engine)}" for written, code in others.items()
    )
    return f"CASE WHEN {upper} IN ({listed or 'NULL'}) THEN {upper}{cases} ELSE {text} END"


def value_faults(table: type[Table], columns: Mapping[str, SourceColumn], engine: str) -> list[tuple[Column, str, str]]:
    """Return the conditions under which a file is refused: the column, the fault and the SQL."""
    tests: list[tuple[Column, str, str]] = []
    for name, source in columns.items():
        c = table.columns[name]
        value = value_sql(c, source, engine)
        raw = source.quoted if engine == "duckdb" else f"`{source.name}`"
        given = f"{raw} IS NOT NULL"
        if source.is_text and c.kind != "text":
            given = f"{text_sql(f'CAST({raw} AS {TEXT[engine]})', engine)} IS NOT NULL"
            tests.append((c, f"is not {WANTED[c.kind]}", f"{given} AND {value} IS NULL"))
        elif source.type.startswith(WITH_POINT):
            given = f"({raw} IS NOT NULL AND NOT isnan(CAST({raw} AS DOUBLE)))"
            tests.append((c, f"is not {WANTED['integer']}", f"{given} AND {value} IS NULL"))
        if c.required and source.is_text and c.kind == "text":
            bare = stripped_sql(f"CAST({raw} AS {TEXT[engine]})", engine)
            tests.append((c, "is empty", f"({raw} IS NULL OR {unclean_sql(raw, engine)} AND {bare} IS NULL)"))
        elif c.required:
            tests.append((c, "is empty", f"NOT ({given})"))
    return tests


def warning_tests(table: type[Table], values: Mapping[str, str], engine: str) -> list[tuple[str, str, str]]:
    """Return the conditions that only warn: the column, the warning and the SQL.

    Parameters
    ----------
    values : mapping
        SQL for the value of each column, dates as DATE.
    """
    tests = missing_tests(table, values, engine)
    if table.end is not None and table.start is not None and {table.end, table.start} <= values.keys():
        tests.append((table.end, ENDS_EARLY, f"{values[table.end]} < {values[table.start]}"))
    return tests
