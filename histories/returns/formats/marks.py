"""Daily marks as exported by schools' systems: one row per mark, one row per day, one column per session, or one string per week.

Suppliers name columns differently, so a mapping file may name them (keys of ``DEFAULTS``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histories.codes import code_set
from histories.errors import Fault, Faults
from histories.io.delimited import heading
from histories.io.sql import literal
from histories.io.toml import read_toml
from histories.reading.values import stripped_sql
from histories.returns.files.staging import SHOWN, listed
from histories.returns.mapping import AS_DATES, DATES, expression_of
from histories.returns.report import Contents, Report, Return, counted

if TYPE_CHECKING:
    from histories.returns.files.staging import Staging
    from histories.returns.pupil_keys import PupilKeys

LONGEST_CODE = 2
LAYOUTS = {"long": ("date", "session", "code"), "days": ("date", "am", "pm"), "columns": (), "weeks": ("week", "marks")}
DEFAULTS: dict[str, Any] = {
    "layout": "long",  # or "days": one row per day with marks in the columns am and pm; "columns": one column per session;
    # or "weeks": one string of marks per week
    "pupil": "upn",
    "date": "date",
    "session": "session",
    "code": "code",
    "recorded_on": "recorded_on",
    "week": "week",
    "marks": "marks",
    "dates": list(DATES),
    "am": "AM",
    "pm": "PM",
}


def load(file: Path | None) -> dict[str, Any]:
    """Read the names of columns; keys that the file omits keep their values in ``DEFAULTS``.

    Raises
    ------
    Faults
        For bad TOML, unknown keys and layouts.
    """
    if file is None:
        return dict(DEFAULTS)
    read = read_toml(file)
    faults = [
        Fault(
            "there is no such key, or the value has the wrong type",
            f"{file}, {k}",
            f"Use one of {', '.join(DEFAULTS)}.",
        )
        for k, v in read.items()
        if k not in DEFAULTS or not isinstance(v, type(DEFAULTS[k]))
    ]
    if read.get("layout", "long") not in LAYOUTS:
        do = f"Use one of {', '.join(LAYOUTS)}."
        faults.append(Fault("there is no such layout", f"{file}, layout", do))
    if faults:
        raise Faults(faults)
    return {
        **DEFAULTS,
        **{k: heading(v) if isinstance(v, str) and k not in ("am", "pm", "layout") else v for k, v in read.items()},
    }


def convert(
    staging: Staging, people: PupilKeys, files: list[Path], report: Report, mapping: Path | None = None
) -> None:
    """State the marks of each file."""
    names = load(mapping)
    selects: dict[Path, str] = {}
    for n, file in enumerate(files):
        table = f"marks_{n}"
        columns = [names[c] for c in ("pupil", "date", "session", "code", "recorded_on", "week", "marks")]
        days = [names[c] for c in ("date", "recorded_on", "week")]
        report.read[file.name] = staging.csv(table, file, columns, days, as_written=True)
        if table in staging.columns and (select := _select(staging, people, table, names, report)):
            selects[file] = select
    staging.raise_faults()
    for file, select in selects.items():
        stated = staging.add_return(None, [file], clock="row")
        stated.tables["attendance"] = select


def _select(staging: Staging, people: PupilKeys, table: str, names: dict[str, Any], report: Report) -> str | None:
    pupil, have = names["pupil"], staging.columns[table]
    layout = names["layout"]
    if layout == "long" and names["session"] not in have and {heading(names["am"]), heading(names["pm"])} <= set(have):
        layout = "days"
    if not staging.need(table, [pupil, *(heading(names[c]) for c in LAYOUTS[layout])]):
        return None
    people.report_missing(table, pupil, report, "they were left out")
    people.add(f'SELECT {_name(pupil)} AS upn, NULL AS former FROM "{table}"')
    recorded = names["recorded_on"] if names["recorded_on"] in have else None
    # An unreadable recording date must not be replaced by the date of the mark: the model would see it too early.
    day = _day(staging, table, recorded, names, optional=True) if recorded else "NULL::DATE"
    make = {"long": _long, "days": _days, "columns": _columns, "weeks": _weeks}[layout]
    sessions = make(staging, table, names, recorded, report)
    if sessions is None:
        return None
    marks = f"SELECT {_name(pupil)} AS upn, {sessions[0]}, {day} AS recorded_on, onroll_line AS line {sessions[1]}"
    translated, unknown = _codes(staging, table, marks, report)
    code = f"CASE code {translated} ELSE code END" if translated else "code"
    left_out = f" WHERE NOT {staging.one_of('code', unknown)}" if unknown else ""
    return f'SELECT p.pupil_id, m."date", m.session, {code} AS code, m.recorded_on FROM ({marks}) m JOIN person p USING (upn){left_out}'


def _codes(staging: Staging, table: str, marks: str, report: Report) -> tuple[str, list[str]]:
    """Return the translation of codes with blanks or in lower case, and the texts that are not codes.

    A blank or a dash is no mark. An unknown code is left out and counted; it is named only if it is short enough to be a code.
    """
    codes = code_set("attendance")
    translated: list[str] = []
    unknown: list[str] = []
    remarks: dict[str, list[str]] = {}
    # The database would compare each mark, not each distinct code, with the set.
    distinct = [
        code for (code,) in staging.sql(f"SELECT DISTINCT code FROM ({marks}) WHERE code IS NOT NULL ORDER BY 1")
    ]
    for code in (c for c in distinct if c not in codes):
        clean = code.strip()
        if clean.upper() in codes:
            real = clean if clean in codes else clean.upper()
            translated.append(f"WHEN {literal(code)} THEN {literal(real)}")
            if real != clean:
                remarks.setdefault(f"the code {clean} in lower case and count as {real}", []).append(code)
        else:
            unknown.append(code)
            if clean not in ("", "-"):
                shown = f"the code {clean}" if len(clean) <= LONGEST_CODE else "a code of more than two characters"
                remarks.setdefault(f"{shown}, which does not exist, and were left out", []).append(code)
    for what, written in remarks.items():
        rows = f"FROM ({marks}) WHERE {staging.one_of('code', written)}"
        count, first = staging.sql(f"SELECT count(*), list_sort(min(line, {SHOWN + 1})) {rows}")[0]
        lines = listed(list(dict.fromkeys(first)))
        report.notes.append(f"{staging.files[table].name}: {counted(count, f'have {what}', 'mark')} (lines {lines})")
    return " ".join(translated), unknown


def _name(column: str) -> str:
    return f'"{column}"'


def _day(staging: Staging, table: str, column: str, names: dict[str, Any], optional: bool = False) -> str:
    # Cells are as written here; only those that are no date at once are stripped first.
    raw, dates = _name(column), tuple(names["dates"])
    day = f"coalesce({expression_of('date', raw, dates)}, {expression_of('date', stripped_sql(raw, 'duckdb'), dates)})"
    what = "the value is not a date that can be read"
    given = f"{stripped_sql(raw, 'duckdb')} IS NOT NULL AND " if optional else ""
    staging.check(table, column, f"{given}({day}) IS NULL", what, AS_DATES)
    return day


def _long(staging: Staging, table: str, names: dict[str, Any], recorded: str | None, report: Report) -> tuple[str, str]:
    session, code = _name(names["session"]), _name(names["code"])
    part = _part(session, names["am"], names["pm"])
    staging.check(
        table,
        names["session"],
        f"({part}) IS NULL",
        "the session is neither morning nor afternoon",
        "Name them in a mapping (am, pm).",
    )
    staging.check(table, names["code"], f"{code} IS NULL", "the code is missing", "Complete the rows, or remove them.")
    used = {names[k] for k in ("pupil", "date", "session", "code")} | {recorded}
    if other := [c for c in staging.columns[table] if c not in used]:
        report.unused.append(f"{staging.files[table].name}: columns {', '.join(other)}")
    return (
        f'{_day(staging, table, names["date"], names)} AS "date", {part} AS session, {code} AS code',
        f'FROM "{table}"',
    )


def _part(session: str, am: str, pm: str) -> str:
    """Return the expression of the half day; a name in another case or with blanks around it counts too."""
    other = f"lower({stripped_sql(session, 'duckdb')})"
    clean = f"CASE {other} WHEN {literal(am.lower())} THEN 'AM' WHEN {literal(pm.lower())} THEN 'PM' END"
    return f"CASE {session} WHEN {literal(am)} THEN 'AM' WHEN {literal(pm)} THEN 'PM' ELSE {clean} END"


def _days(staging: Staging, table: str, names: dict[str, Any], recorded: str | None, report: Report) -> tuple[str, str]:
    am, pm = heading(names["am"]), heading(names["pm"])
    used = {names["pupil"], names["date"], am, pm, recorded}
    if other := [c for c in staging.columns[table] if c not in used]:
        report.unused.append(f"{staging.files[table].name}: columns {', '.join(other)}")
    sessions = f"[{{'s': 'AM', 'c': {_name(am)}}}, {{'s': 'PM', 'c': {_name(pm)}}}]"
    return (
        f'{_day(staging, table, names["date"], names)} AS "date", one.s AS session, one.c AS code',
        f'FROM (SELECT *, unnest({sessions}) AS one FROM "{table}") WHERE one.c IS NOT NULL',
    )


def _columns(
    staging: Staging, table: str, names: dict[str, Any], recorded: str | None, report: Report
) -> tuple[str, str] | None:
    columns = [c for c in staging.columns[table] if c not in (names["pupil"], recorded)]
    sessions = _sessions(columns, names, staging.sql)
    other = [c for c in columns if c not in {column for column, _, _ in sessions}]
    if not sessions:
        do = "Name session columns like '2024-09-04 AM', or give the date formats in a mapping (dates, am, pm)."
        staging.faults.append(Fault("no column is named after a session", str(staging.files[table]), do))
        return None
    if other:
        report.unused.append(f"{staging.files[table].name}: columns {', '.join(other)}")
    listed = ", ".join(f"{{'d': DATE '{day}', 's': '{part}', 'c': \"{column}\"}}" for column, day, part in sessions)
    return (
        'one.d AS "date", one.s AS session, one.c AS code',
        f'FROM (SELECT *, unnest([{listed}]) AS one FROM "{table}") WHERE one.c IS NOT NULL',
    )


def _sessions(
    columns: Iterable[str], names: dict[str, Any], sql: Callable[[str], list[tuple]]
) -> list[tuple[str, date, str]]:
    """Return the columns named after a session, such as ``2024-09-04_am``, each with its day and half day."""
    sessions = []
    for column in columns:
        head, _, tail = column.rpartition("_")
        part = {heading(names["am"]): "AM", heading(names["pm"]): "PM"}.get(tail)
        # Headings have underscores for blanks, so restore the blanks to read a date.
        written = literal(head.replace("_", " "))
        if part and (day := sql(f"SELECT {expression_of('date', written, tuple(names['dates']))}")[0][0]):
            sessions.append((column, day, part))
    return sessions


def _weeks(
    staging: Staging, table: str, names: dict[str, Any], recorded: str | None, report: Report
) -> tuple[str, str]:
    marks, begins = _name(names["marks"]), _day(staging, table, names["week"], names)
    what, do = (
        "the string does not hold two marks for each of five days",
        "Write a dash or a space for a session without a mark.",
    )
    staging.check(table, names["marks"], f"length({marks}) IS DISTINCT FROM 10", what, do)
    # From a Wednesday the marks of Saturday begin at the seventh place; from a Sunday the first two are of Sunday.
    day = f"isodow({begins})"
    weekend = f"CASE {day} WHEN 1 THEN '' WHEN 7 THEN left({marks}, 2) ELSE substr({marks}, (6 - {day}) * 2 + 1) END"
    marked = f"regexp_replace({weekend}, '[- ]', '', 'g') <> ''"
    what, do = "marks fall on a weekend", "Give each week by its Monday."
    staging.check(table, names["week"], marked, what, do)
    one = f"({begins}) + ((place - 1) // 2)::INT AS \"date\", CASE place % 2 WHEN 1 THEN 'AM' ELSE 'PM' END AS session, substr({marks}, place, 1) AS code"
    return one, f"FROM \"{table}\", range(1, 11) r(place) WHERE substr({marks}, place, 1) NOT IN ('-', ' ')"


def recognises(contents: Contents) -> bool:
    """Recognise the format by its default headings: one row per session or one row per day."""
    return _has_columns(DEFAULTS, contents)


def recognises_by(file: Path) -> Callable[[Contents], bool]:
    """Return whether a file has the columns that a mapping names."""
    return partial(_has_columns, load(file))


def _has_columns(names: dict[str, Any], contents: Contents) -> bool:
    layout = names["layout"]
    if layout == "columns":
        import duckdb

        rows = [row for row in contents.rows if names["pupil"] in row]
        with duckdb.connect() as connection:
            return any(_sessions(row, names, lambda query: connection.execute(query).fetchall()) for row in rows)
    layouts = ("long", "days") if layout == "long" else (layout,)
    return any(contents.has(names["pupil"], *(heading(names[c]) for c in LAYOUTS[one])) for one in layouts)


RETURN = Return(
    name="marks",
    title="daily marks as CSV: one row per mark, one row per day (columns AM and PM), one column per session, or one string per week; --mapping names the columns",
    fills=("attendance",),
    cannot_know=(
        "marks from before the system was in use",
        "when a mark was entered, unless a column says so; a mark changed by a later extract counts from the last day of that extract",
    ),
    convert=convert,
    recognises=recognises,
    mapping_keys=tuple(DEFAULTS),
    recognises_by=recognises_by,
)
