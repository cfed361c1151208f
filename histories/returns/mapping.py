"""Returns by declaration: a TOML file says which file fills which table, from which columns, in which form.

The same grammar serves the formats that ship (``formats/*.toml``) and a user's own (``onroll import csv --mapping FILE``).
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histories.errors import Fault, Faults, Usage
from histories.identity import clean_upn_sql
from histories.io.sql import literal, literals
from histories.io.toml import read_toml
from histories.returns.pupil_keys import PERSON
from histories.returns.report import Report, Return
from histories.tables import TABLES, Column

if TYPE_CHECKING:
    from histories.returns.pupil_keys import PupilKeys
    from histories.returns.staging import Staging

# Required columns that a list of leavers may lack.
PARTIAL = {"enrolments": ("urn", "entry_date")}
FOLDER = Path(__file__).with_name("formats")
DATES = ("%Y-%m-%d", "%d/%m/%Y", "%Y-%b-%d %H:%M:%S", "%d-%b-%Y")
TRUE, FALSE = ("true", "yes", "y", "1", "t"), ("false", "no", "n", "0", "f")


@dataclass(frozen=True, kw_only=True)
class Filled:
    """How one table is filled.

    Attributes
    ----------
    table : str
        The table of histories.
    files : str
        Which files, such as ``*cases*.csv``.
    pupil : tuple of str
        Names under which the UPN may stand; empty for tables without pupils.
    former : tuple of str
        Names under which a former UPN may stand.
    person : tuple of str
        Names under which the list's own key of a child may stand; rows without a UPN are linked by it.
    columns : dict
        Column of the table to the names under which it may stand; the first that has a value counts.
    dates : tuple of str
        Forms of dates, as ``strptime`` has them.
    codes : dict
        Column to a translation of its values; a value without one becomes empty and is counted.
    constants : dict
    """

    table: str
    files: str
    pupil: tuple[str, ...] = ()
    former: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dates: tuple[str, ...] = DATES
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mapping:
    """A declared format."""

    name: str
    title: str
    cannot_know: tuple[str, ...]
    tables: tuple[Filled, ...]

    @property
    def fills(self) -> tuple[str, ...]:
        """The tables that it fills."""
        return tuple(dict.fromkeys(t.table for t in self.tables))


def load_mapping(file: Path) -> Mapping:
    """Read a mapping.

    Raises
    ------
    Faults
        For a missing file, bad TOML, unknown keys, tables and columns.
    """
    read = read_toml(file)
    faults: list[Fault] = []
    entries = read.get("table", [])
    if not isinstance(entries, list) or not entries:
        do = "Write at least one [[table]] with fills, files and columns."
        raise Faults(Fault("the mapping fills no table", str(file), do))
    tables = [f for n, e in enumerate(entries, start=1) if (f := _filled(e, f"{file}, table {n}", faults))]
    unknown = sorted(set(read) - {"title", "cannot_know", "table"})
    faults += [Fault("no such key", f"{file}, {k}", "Use title, cannot_know or [[table]].") for k in unknown]
    if faults:
        raise Faults(faults)
    return Mapping(file.stem, str(read.get("title", file.stem)), tuple(read.get("cannot_know", ())), tuple(tables))


def _filled(entry: Any, where: str, faults: list[Fault]) -> Filled | None:
    kinds: dict[str, Any] = {
        "fills": str,
        "files": str,
        "pupil": (str, list),
        "former": (str, list),
        "person": (str, list),
        "columns": dict,
        "dates": list,
        "codes": dict,
        "constants": dict,
    }
    if not isinstance(entry, dict):
        faults.append(Fault("this is not a table", where, "Write it as [[table]]."))
        return None
    before = len(faults)
    for key, value in entry.items():
        if key not in kinds:
            faults.append(Fault("no such key", f"{where}, {key}", f"Use one of {', '.join(kinds)}."))
        elif not isinstance(value, kinds[key]):
            faults.append(
                Fault("the value has another type", f"{where}, {key}", "Write it as the documentation has it.")
            )
    name = entry.get("fills")
    if name not in TABLES or not isinstance(entry.get("files"), str):
        do = f"Write files, and fills with one of {', '.join(TABLES)}."
        faults.append(Fault("the table or its files are not named", where, do))
        return None
    for part in ("columns", "codes", "constants"):
        for c in entry.get(part, {}) if isinstance(entry.get(part, {}), dict) else ():
            if c not in TABLES[name].columns:
                do = f"Use one of {', '.join(TABLES[name].columns)}."
                faults.append(Fault("the table has no such column", f"{where}, {part}.{c}", do))
    if len(faults) > before:
        return None
    return Filled(
        table=name,
        files=entry["files"].lower(),
        pupil=_names(entry.get("pupil")),
        former=_names(entry.get("former")),
        person=_names(entry.get("person")),
        columns={c: _names(v) for c, v in entry.get("columns", {}).items()},
        dates=tuple(entry.get("dates", DATES)),
        codes={c: {str(k).lower(): str(v) for k, v in t.items()} for c, t in entry.get("codes", {}).items()},
        constants={c: str(v) for c, v in entry.get("constants", {}).items()},
    )


def _names(value: Any) -> tuple[str, ...]:
    return () if value is None else (value.lower(),) if isinstance(value, str) else tuple(str(v).lower() for v in value)


def convert(mapping: Mapping, staging: Staging, people: PupilKeys, files: list[Path], report: Report) -> None:
    """State what each file says for the tables that the mapping fills."""
    belongs = [[f for f in mapping.tables if fnmatch.fnmatch(file.name.lower(), f.files)] for file in files]
    read: list[tuple[Path, dict[str, list[str]]]] = []
    for n, (file, tables) in enumerate(zip(files, belongs, strict=True)):
        if not tables:
            report.unused.append(f"{file.name}: no table of the format is read from it")
            continue
        report.read[file.name] = staging.csv(f"in_{n}", file)
        selects: dict[str, list[str]] = {}
        for filled in tables if f"in_{n}" in staging.columns else ():
            if select := _select(staging, people, filled, f"in_{n}", report):
                selects.setdefault(filled.table, []).append(select)
        read.append((file, selects))
    if not any(belongs):
        do = "Name files like " + ", ".join(sorted({t.files for t in mapping.tables})) + ", or use another format."
        staging.faults.append(Fault("no file belongs to the format", f"import {mapping.name}", do))
    staging.raise_faults()
    for file, selects in read:
        queries = {table: " UNION ALL BY NAME ".join(parts) for table, parts in selects.items()}
        stated = staging.add_return(None, [file], said_on=extract_day(staging, queries), clock="row")
        stated.tables |= queries


def extract_day(staging: Staging, queries: dict[str, str]) -> date | None:
    """Return the newest day in an extract, not after today: it was made then or later. Dates of birth do not count."""
    newest: list[date | None] = []
    for table, query in queries.items():
        days = [c.name for c in TABLES[table].columns.values() if c.kind == "date" and c.name != "date_of_birth"]
        have = {r[0] for r in staging.sql(f"DESCRIBE {query}")}
        for c in days:
            if c in have:
                newest += staging.sql(f'SELECT max("{c}"::DATE) FROM ({query}) WHERE "{c}"::DATE <= current_date')[0]
    return max(filter(None, newest), default=None)


def _select(staging: Staging, people: PupilKeys, filled: Filled, name: str, report: Report) -> str | None:
    """Check the rows of one file and return the query that gives them as the table has them."""
    table, have = TABLES[filled.table], staging.columns[name]
    chosen: dict[str, str] = {c: literal(v) for c, v in filled.constants.items()}
    who = next((n for n in filled.pupil if n in have), None)
    if filled.pupil and who is None:
        staging.need(name, [filled.pupil[0]])
    wanted = {c: [n for n in names if n in have] for c, names in filled.columns.items()}
    lacking = [names[0] for c, names in filled.columns.items() if table.columns[c].required and not wanted[c]]
    staging.need(name, lacking)
    if lacking or (filled.pupil and who is None):
        return None
    person = next((n for n in filled.person if n in have), None)
    given = {n for names in wanted.values() for n in names} | {who, person} | set(filled.former)
    if unused := [c for c in have if c not in given]:
        report.unused.append(f"{staging.files[name].name}: columns {', '.join(unused)}")
    for c, names in wanted.items():
        if names:
            chosen[c] = _value(staging, name, table.columns[c], names, filled)
            if c in filled.codes and not table.columns[c].required:
                lost = staging.sql(
                    f'SELECT count(*) FROM "{name}" WHERE ({chosen[c]}) IS NULL AND nullif(trim("{names[0]}"), \'\') IS NOT NULL'
                )[0][0]
                report.notes += (
                    [f"{staging.files[name].name}: {lost} values of {names[0]} have no translation and are empty now"]
                    if lost
                    else []
                )
        elif table.columns[c].required is False:
            report.absent.append(f"{staging.files[name].name}: {filled.columns[c][0]}")
    for column in table.columns.values():
        if column.name in PARTIAL.get(filled.table, ()) and "leaving_date" in chosen:
            continue  # a list of leavers: the spell that it ends is found in other returns
        if column.required and column.name not in chosen and column.name != "pupil_id":
            staging.faults.append(
                Fault(
                    "a required column is not filled",
                    f"mapping, {filled.table}.{column.name}",
                    "Map it or set a constant.",
                )
            )
        elif column.required and column.name in wanted:
            staging.check(
                name,
                wanted[column.name][0],
                f"({chosen[column.name]}) IS NULL",
                "the value is empty or has no translation",
                "Fill it in.",
            )
    listed = ", ".join(f'{e} AS "{c}"' for c, e in chosen.items())
    if who is None:
        return f'SELECT {listed} FROM "{name}"'
    outcome = (
        "they wait to be linked"
        if person
        else "they were left out: a column with a key of the list's own would let them be linked"
    )
    people.report_missing(name, who, report, outcome)
    former = next((f'"{n}"' for n in filled.former if n in have), "NULL")
    upn = f'trim(r."{who}")'
    if person:
        clean = clean_upn_sql(f'r."{who}"')
        upn = f"coalesce({clean}, '{PERSON}' || nullif(trim(r.\"{person}\"), ''))"
    people.add(f'SELECT {upn} AS upn, {former} AS former FROM "{name}" r')
    extra = ", p.pupil_id AS upn_key" if filled.table == "pupils" and "upn" not in chosen else ""
    return f'SELECT p.pupil_id{extra}, {listed} FROM "{name}" r JOIN person p ON p.upn = {upn}'


def _value(staging: Staging, name: str, column: Column, names: list[str], filled: Filled) -> str:
    """Return the expression of a column, after checking that every value becomes its type."""
    made = []
    for n in names:
        raw = f"nullif(trim(\"{n}\"), '')"
        if column.name in filled.codes:
            pairs = "".join(f" WHEN {literal(k)} THEN {literal(v)}" for k, v in filled.codes[column.name].items())
            made.append(f"CASE lower({raw}){pairs} END")
            continue
        expression = expression_of(column.kind, raw, filled.dates)
        if column.kind != "text":
            do = (
                "Correct the rows, or name the form of the dates in a mapping."
                if column.kind == "date"
                else "Correct the rows."
            )
            staging.check(
                name, n, f"{raw} IS NOT NULL AND ({expression}) IS NULL", f"the value is not {_WANTED[column.kind]}", do
            )
        made.append(expression)
    return made[0] if len(made) == 1 else f"coalesce({', '.join(made)})"


_WANTED = {
    "date": "a date in one of the forms that the format names",
    "integer": "a whole number",
    "boolean": "yes or no",
}


def expression_of(kind: str, raw: str, dates: tuple[str, ...] = DATES) -> str:
    """Return the SQL that turns text into a kind of column; null when it cannot be.

    A day before 1900 or after 2100 is taken for a year of two digits, and refused.
    """
    if kind == "date":
        forms = ", ".join(literal(d) for d in dates)
        day = f"try_strptime({raw}, [{forms}])::DATE"
        return f"CASE WHEN year({day}) BETWEEN 1900 AND 2100 THEN {day} END"
    if kind == "integer":
        return f"CASE WHEN try_cast({raw} AS DOUBLE) = round(try_cast({raw} AS DOUBLE)) THEN try_cast(try_cast({raw} AS DOUBLE) AS BIGINT) END"
    if kind == "boolean":
        return f"CASE WHEN lower({raw}) IN {literals(TRUE)} THEN true WHEN lower({raw}) IN {literals(FALSE)} THEN false END"
    return raw


def convert_any(
    staging: Staging, people: PupilKeys, files: list[Path], report: Report, mapping: Path | None = None
) -> None:
    """Read files by the mapping of a user."""
    if mapping is None:
        do = "Name a TOML file that says which columns fill which table."
        raise Usage(Fault("there is no mapping", "import csv --mapping", do))
    convert(load_mapping(mapping), staging, people, files, report)


RETURN = Return(
    name="csv",
    title="any other CSV, by a mapping file (--mapping)",
    fills=("what the mapping says",),
    cannot_know=("what the mapping does not say",),
    convert=convert_any,
    mappable=True,
)
