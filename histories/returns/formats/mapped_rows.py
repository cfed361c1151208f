"""Rows of files read by a mapping: values are checked and converted, and children get their keys."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from histories.errors import Fault, Usage
from histories.identity import clean_upn_sql
from histories.io.delimited import as_wanted
from histories.io.sql import literal, literals
from histories.returns.formats.postcodes import add_keys, bare_sql
from histories.returns.mapping import AS_DATES, NOTHING, Filled, Mapping, expression_of, load_mapping
from histories.returns.pupil_keys import PERSON
from histories.returns.report import TABULAR, Contents, Report, Return, counted
from histories.tables import TABLES, Column

if TYPE_CHECKING:
    from histories.returns.files.staging import Staging
    from histories.returns.pupil_keys import PupilKeys

# Required columns that a list of leavers may lack: other returns state the spell that ends.
ENTRY = ("urn", "entry_date")
WANTED = {
    "date": "a date that can be read",
    "integer": "a whole number",
    "boolean": "yes or no",
}


def convert(mapping: Mapping, staging: Staging, people: PupilKeys, files: list[Path], report: Report) -> None:
    """State the rows of each file for the tables that the mapping fills."""
    belongs = [[f for f in mapping.tables if belongs_to(file.name, f.files)] for file in files]
    read: list[tuple[Path, dict[str, list[str]]]] = []
    for n, (file, tables) in enumerate(zip(files, belongs, strict=True)):
        if not tables:
            report.unused.append(f"{file.name}: the format reads no table from this file")
            continue
        report.read[file.name] = staging.csv(
            f"in_{n}", file, {h for t in tables for h in t.headings()}, {d for t in tables for d in t.days()}
        )
        selects: dict[str, list[str]] = {}
        for filled in tables if f"in_{n}" in staging.columns else ():
            if select := _select(staging, people, filled, f"in_{n}", report):
                selects.setdefault(filled.table, []).append(select)
        used = {h for t in tables for h in t.headings()}
        if unused := [c for c in staging.columns.get(f"in_{n}", ()) if c not in used]:
            report.unused.append(f"{file.name}: columns {', '.join(unused)}")
        read.append((file, selects))
    if not any(belongs):
        do = "Name files like " + ", ".join(sorted({t.files for t in mapping.tables})) + ", or use another format."
        staging.faults.append(Fault("no file belongs to the format", f"import {mapping.name}", do))
    staging.raise_faults()
    for file, selects in read:
        queries = {table: " UNION ALL BY NAME ".join(parts) for table, parts in selects.items()}
        stated = staging.add_return(None, [file], clock="row")
        stated.tables |= queries


def belongs_to(name: str, pattern: str) -> bool:
    """Return whether a file name matches a pattern; workbooks match the patterns of CSV files."""
    name = name.lower()
    csv = Path(name).with_suffix(".csv").name if Path(name).suffix in TABULAR else name
    return fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(csv, pattern)


def recognises(mapping: Mapping, contents: Contents) -> bool:
    """Return whether a row has all headings that a table of the mapping needs, and one of its signs."""
    signs = set(mapping.signs)
    return any(
        _heads(filled, row) and (not signs or bool(signs & row))
        for filled in mapping.tables
        for row in (set(as_wanted(sorted(cells), filled.headings() | signs)) for cells in contents.rows)
    )


def _heads(filled: Filled, row: set[str]) -> bool:
    columns = TABLES[filled.table].columns
    leaves = filled.table == "enrolments" and "leaving_date" in filled.columns
    needed = [n for c, n in filled.columns.items() if columns[c].required and not (leaves and c in ENTRY)]
    needed += [filled.columns["leaving_date"]] if leaves and "entry_date" not in filled.columns else []
    needed += [filled.pupil] if filled.pupil else []
    return bool(needed) and all(set(names) & row for names in needed)


def _select(staging: Staging, people: PupilKeys, filled: Filled, name: str, report: Report) -> str | None:
    """Check the rows of one file and return the query that converts them to rows of the table."""
    table, have = TABLES[filled.table], staging.columns[name]
    upn = next((n for n in filled.pupil if n in have), None)
    if filled.pupil and upn is None:
        staging.need(name, [filled.pupil[0]], {filled.pupil[0]: filled.pupil})
    if others := [n for n in filled.pupil if n in have and n != upn]:
        report.unused.append(f"{staging.files[name].name}: columns {', '.join(others)}, since {upn} names the child")
    wanted = {c: [n for n in names if n in have] for c, names in filled.columns.items()}
    leaves = filled.table == "enrolments" and bool(wanted.get("leaving_date"))
    needed = [c for c in filled.columns if table.columns[c].required and not (leaves and c in ENTRY)]
    if filled.table == "enrolments" and "entry_date" not in filled.columns:
        needed.append("leaving_date")
    lacking = [filled.columns[c][0] for c in needed if c in wanted and not wanted[c]]
    staging.need(name, lacking, {names[0]: names for names in filled.columns.values()})
    if lacking or (filled.pupil and upn is None):
        return None
    person = next((n for n in filled.person if n in have), None)
    chosen = {c: literal(v) for c, v in filled.constants.items()}
    chosen |= {
        c: _value(staging, name, table.columns[c], names, filled=filled, report=report)
        for c, names in wanted.items()
        if names
    }
    _report_columns(staging, filled, name, wanted, chosen, report=report)
    _check_required(staging, filled, name, wanted, chosen)
    if table.end in chosen and table.start in chosen:
        early = f"({chosen[str(table.end)]}) < ({chosen[str(table.start)]})"
        staging.note(report, name, early, "end before they begin")
    listed = ", ".join(f'{e} AS "{c}"' for c, e in chosen.items())
    where = ""
    if filled.table == "enrolments":
        listed += ", onroll_line AS line"
        where = _dated(staging, name, chosen, report)
    if upn is None:
        return f'SELECT {listed} FROM "{name}"'
    who = _who(staging, people, filled, name, upn, person=person, report=report)
    extra = ", p.pupil_id AS upn_key" if filled.table == "pupils" and "upn" not in chosen else ""
    home = ""
    if postcode := next((f'r."{n}"' for n in filled.postcode if n in have), None):
        add_keys(staging, f'SELECT {postcode} AS postcode FROM "{name}" r', people.key)
        extra += ", k.postcode_key"
        home = f" LEFT JOIN postcode_key k ON k.onroll_postcode = {bare_sql(postcode)}"
    return f'SELECT p.pupil_id{extra}, {listed} FROM "{name}" r JOIN person p ON p.upn = {who}{home}{where}'


def _dated(staging: Staging, name: str, chosen: dict[str, str], report: Report) -> str:
    """Leave out rows of a roll with neither an entry date nor a leaving date, and report their lines."""
    days = [f"({chosen[c]}) IS NULL" for c in ("entry_date", "leaving_date") if c in chosen]
    empty = " AND ".join(days) or "false"
    count, lines = staging.lines(name, empty)
    if count:
        report.notes.append(
            f"{staging.files[name].name}: {counted(count, 'have no date')} (lines {lines}) and cannot be used"
        )
    return f" WHERE NOT ({empty})"


def _report_columns(
    staging: Staging,
    filled: Filled,
    name: str,
    wanted: dict[str, list[str]],
    chosen: dict[str, str],
    *,
    report: Report,
) -> None:
    """Report absent columns and values without a translation."""
    file, columns = staging.files[name].name, TABLES[filled.table].columns
    for c, names in wanted.items():
        if columns[c].required:
            continue
        if not names:
            report.absent.append(f"{file}: {filled.columns[c][0]}")
        elif c in filled.codes:
            lost, lines = staging.lines(name, f"({chosen[c]}) IS NULL AND nullif(trim(\"{names[0]}\"), '') IS NOT NULL")
            if lost:
                what = f"{file}: {lost} values of {names[0]} have no translation and were left empty (lines {lines})"
                report.notes.append(what)


def _check_required(
    staging: Staging, filled: Filled, name: str, wanted: dict[str, list[str]], chosen: dict[str, str]
) -> None:
    """Collect a fault for each required column that the mapping does not fill or that is empty in a row."""
    partial = ENTRY if filled.table == "enrolments" and "leaving_date" in chosen else ()
    for column in TABLES[filled.table].columns.values():
        if not column.required or column.name == "pupil_id" or column.name in partial:
            continue
        if column.name not in chosen:
            where, do = f"mapping, {filled.table}.{column.name}", "Map it or set a constant."
            staging.faults.append(Fault("a required column is not filled", where, do))
        elif column.name in wanted:
            # What cannot be converted has a fault of its own.
            empty = f"coalesce({', '.join(_given(n, column) for n in wanted[column.name])}, NULL) IS NULL"
            staging.check(name, wanted[column.name][0], empty, "the value is empty", "Fill it in.")
            if column.name in filled.codes:
                lost = f"({chosen[column.name]}) IS NULL AND NOT ({empty})"
                do = "Correct the rows, or add the value to a mapping (codes)."
                staging.check(name, wanted[column.name][0], lost, "the value has no translation", do)


def _who(
    staging: Staging, people: PupilKeys, filled: Filled, name: str, upn: str, *, person: str | None, report: Report
) -> str:
    """Register the children of a file; return the expression that matches a row to the table ``person``."""
    outcome = "they were left out; to link them, map 'person' to the list's own key of the child"
    people.report_missing(name, upn, report, "they wait for a link" if person else outcome)
    who = f'trim(r."{upn}")'
    if person:
        clean = clean_upn_sql(f'r."{upn}"')
        who = f"coalesce({clean}, '{PERSON}' || nullif(trim(r.\"{person}\"), ''))"
    former = next((f'"{n}"' for n in filled.former if n in staging.columns[name]), "NULL")
    people.add(f'SELECT {who} AS upn, {former} AS former FROM "{name}" r')
    return who


def _note_differing(staging: Staging, name: str, names: list[str], expressions: list[str], report: Report) -> None:
    """Report rows in which two headings of one meaning hold different values; the first with a value counts."""
    for n in range(1, len(expressions)):
        before = f"coalesce({', '.join(expressions[:n])}, NULL)"
        what = f"have different values in {names[n]} and {', '.join(names[:n])}, of which the first with a value counts"
        staging.note(report, name, f"({before}) <> ({expressions[n]})", what)


def _given(name: str, column: Column) -> str:
    """Return the expression of a cell's text; what stands for no value in lists is none, unless the column holds texts."""
    raw = f'"{name}"'
    return raw if column.kind == "text" else f"CASE WHEN lower({raw}) NOT IN {literals(NOTHING)} THEN {raw} END"


def _value(staging: Staging, name: str, column: Column, names: list[str], *, filled: Filled, report: Report) -> str:
    """Return the expression of a column, after checking that every value can be converted."""
    expressions = []
    for n in names:
        raw = _given(n, column)
        if column.name in filled.codes:
            pairs = "".join(f" WHEN {literal(k)} THEN {literal(v)}" for k, v in filled.codes[column.name].items())
            expressions.append(f"CASE lower({raw}){pairs} END")
            continue
        expression = expression_of(column.kind, raw, filled.dates)
        if column.kind != "text":
            do = AS_DATES if column.kind == "date" else "Correct the rows."
            staging.check(
                name, n, f"{raw} IS NOT NULL AND ({expression}) IS NULL", f"the value is not {WANTED[column.kind]}", do
            )
        expressions.append(expression)
    _note_differing(staging, name, names, expressions, report)
    return expressions[0] if len(expressions) == 1 else f"coalesce({', '.join(expressions)})"


def convert_any(
    staging: Staging, people: PupilKeys, files: list[Path], report: Report, mapping: Path | None = None
) -> None:
    """Read files by a user's mapping."""
    if mapping is None:
        do = "Name a TOML file that says which columns fill which table."
        raise Usage(Fault("the mapping is missing", "import csv --mapping", do))
    convert(load_mapping(mapping), staging, people, files, report)


def recognises_by(file: Path) -> Callable[[Contents], bool]:
    """Return whether a file has a name and the headings of a user's mapping."""
    mapping = load_mapping(file)
    patterns = {t.files for t in mapping.tables}

    def has_columns(contents: Contents) -> bool:
        return any(belongs_to(contents.name, p) for p in patterns) and recognises(mapping, contents)

    return has_columns


RETURN = Return(
    name="csv",
    title="any other CSV, by a mapping file (--mapping)",
    fills=("what the mapping says",),
    cannot_know=("what the mapping does not say",),
    convert=convert_any,
    mapping_keys=("table",),
    recognises_by=recognises_by,
)
