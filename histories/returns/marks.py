"""Daily marks as schools' systems export them: a long file, a column for each session, or a string of marks for each week.

Every supplier names columns in its own way, so a mapping file may say which they are (keys of ``DEFAULTS``).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from histories.errors import Fault, Faults
from histories.io.sql import literal
from histories.io.toml import read_toml
from histories.returns.mapping import DATES, expression_of

if TYPE_CHECKING:
    from histories.returns.pupil_keys import People
    from histories.returns.reading import Report
    from histories.returns.staging import Staging

DEFAULTS: dict[str, Any] = {
    "layout": "long",  # or "columns": one a session, or "weeks": a string of marks from the week's first day on
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
    """Read the names of columns; what the file does not say stays as in ``DEFAULTS``.

    Raises
    ------
    Faults
        For bad TOML, unknown keys and layouts.
    """
    if file is None:
        return dict(DEFAULTS)
    read = read_toml(file)
    faults = [
        Fault("no such key, or a value of another type", f"{file}, {k}", f"Use one of {', '.join(DEFAULTS)}.")
        for k, v in read.items()
        if k not in DEFAULTS or not isinstance(v, type(DEFAULTS[k]))
    ]
    if read.get("layout", "long") not in ("long", "columns", "weeks"):
        faults.append(Fault("there is no such layout", f"{file}, layout", "Use long, columns or weeks."))
    if faults:
        raise Faults(faults)
    return {
        **DEFAULTS,
        **{k: v.lower() if isinstance(v, str) and k not in ("am", "pm") else v for k, v in read.items()},
    }


def convert(staging: Staging, people: People, files: list[Path], report: Report, mapping: Path | None = None) -> None:
    """Fill ``out_attendance``."""
    names = load(mapping)
    selects = []
    for n, file in enumerate(files):
        table = f"marks_{n}"
        report.read[file.name] = staging.csv(table, file)
        if table in staging.columns and (select := _select(staging, people, table, names, report)):
            selects.append(select)
    staging.raise_faults()
    staging.sql("CREATE VIEW out_attendance AS " + " UNION ALL BY NAME ".join(selects))


def _select(staging: Staging, people: People, table: str, names: dict[str, Any], report: Report) -> str | None:
    pupil, have = names["pupil"], staging.columns[table]
    needed = {"long": ("date", "session", "code"), "columns": (), "weeks": ("week", "marks")}[names["layout"]]
    if not staging.need(table, [pupil, *(names[c] for c in needed)]):
        return None
    upn = f"nullif(trim({_name(pupil)}), '')"
    staging.check(
        table,
        pupil,
        f"{upn} IS NULL",
        "there is no UPN",
        "Rows without a UPN need linking; fill it in or take them out.",
    )
    people.add(f'SELECT {upn} AS upn, NULL AS former FROM "{table}"')
    recorded = names["recorded_on"] if names["recorded_on"] in have else None
    # A day of recording that cannot be read must not become the day of the mark: the future would be known too early.
    known = f", {_day(staging, table, recorded, names, optional=True)} AS recorded_on" if recorded else ""
    make = {"long": _long, "columns": _columns, "weeks": _weeks}[names["layout"]]
    made = make(staging, table, names, recorded, report)
    if made is None:
        return None
    return f"SELECT p.pupil_id, m.* EXCLUDE (upn) FROM (SELECT {upn} AS upn, {made[0]}{known} {made[1]}) m JOIN person p USING (upn)"


def _name(column: str) -> str:
    return f'"{column}"'


def _day(staging: Staging, table: str, column: str, names: dict[str, Any], optional: bool = False) -> str:
    made = expression_of("date", _name(column), tuple(names["dates"]))
    what, do = (
        "the value is not a date in one of the forms that the mapping names",
        "Correct the rows, or name the form in a mapping.",
    )
    given = f"{_name(column)} IS NOT NULL AND " if optional else ""
    staging.check(table, column, f"{given}({made}) IS NULL", what, do)
    return made


def _long(staging: Staging, table: str, names: dict[str, Any], recorded: str | None, report: Report) -> tuple[str, str]:
    session, code = _name(names["session"]), _name(names["code"])
    part = f"CASE {session} WHEN {literal(names['am'])} THEN 'AM' WHEN {literal(names['pm'])} THEN 'PM' END"
    staging.check(
        table,
        names["session"],
        f"({part}) IS NULL",
        "the session is neither of the two",
        "Name them in a mapping (am, pm).",
    )
    staging.check(table, names["code"], f"{code} IS NULL", "there is no code", "Fill the rows in, or take them out.")
    used = {names[k] for k in ("pupil", "date", "session", "code")} | {recorded}
    if other := [c for c in staging.columns[table] if c not in used]:
        report.unused.append(f"{staging.files[table].name}: columns {', '.join(other)}")
    return (
        f'{_day(staging, table, names["date"], names)} AS "date", {part} AS session, {code} AS code',
        f'FROM "{table}"',
    )


def _columns(
    staging: Staging, table: str, names: dict[str, Any], recorded: str | None, report: Report
) -> tuple[str, str] | None:
    sessions, other = [], []
    for column in staging.columns[table]:
        if column in (names["pupil"], recorded):
            continue
        head, _, tail = column.rpartition(" ")
        part = {names["am"].lower(): "AM", names["pm"].lower(): "PM"}.get(tail)
        day = staging.sql(f"SELECT {expression_of('date', literal(head), tuple(names['dates']))}")[0][0]
        if part and day:
            sessions.append((column, day, part))
        else:
            other.append(column)
    if not sessions:
        do = "Name session columns like '2024-09-04 AM', or give the forms in a mapping (dates, am, pm)."
        staging.faults.append(Fault("no column is a session", str(staging.files[table]), do))
        return None
    if other:
        report.unused.append(f"{staging.files[table].name}: columns {', '.join(other)}")
    listed = ", ".join(f"{{'d': DATE '{day}', 's': '{part}', 'c': \"{column}\"}}" for column, day, part in sessions)
    return (
        'one.d AS "date", one.s AS session, one.c AS code',
        f'FROM (SELECT *, unnest([{listed}]) AS one FROM "{table}") WHERE one.c IS NOT NULL',
    )


def _weeks(
    staging: Staging, table: str, names: dict[str, Any], recorded: str | None, report: Report
) -> tuple[str, str]:
    marks, begins = _name(names["marks"]), _day(staging, table, names["week"], names)
    what, do = (
        "the string does not hold two marks a day for five days",
        "Write a dash or a space for a session without a mark.",
    )
    staging.check(table, names["marks"], f"length({marks}) IS DISTINCT FROM 10", what, do)
    one = f"({begins}) + ((place - 1) // 2)::INT AS \"date\", CASE place % 2 WHEN 1 THEN 'AM' ELSE 'PM' END AS session, substr({marks}, place, 1) AS code"
    return one, f"FROM \"{table}\", range(1, 11) r(place) WHERE substr({marks}, place, 1) NOT IN ('-', ' ')"
