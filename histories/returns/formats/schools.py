"""The list of schools as Get Information about Schools publishes it (edubasealldata), and LAESTAB beside URN.

Source of the layout: the published extract, in Windows-1252, with every type of establishment, open and closed. The phase of a
school follows from its type (special, alternative provision), else from the published phase, else from its ages.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from histories.io.sql import literal, literals
from histories.returns.mapping import expression_of
from histories.returns.report import Contents, Report, Return

if TYPE_CHECKING:
    from histories.returns.files.staging import Staging
    from histories.returns.pupil_keys import PupilKeys

URN, NUMBER, AUTHORITY = "urn", "establishmentnumber", "la_(code)"
TYPE, PHASE = "typeofestablishment_(name)", "phaseofeducation_(name)"
LOW, HIGH = "statutorylowage", "statutoryhighage"
HEADINGS = (
    *(URN, NUMBER, AUTHORITY, TYPE, PHASE, LOW, HIGH),
    *("establishmentname", "trusts_(code)", "trusts_(name)", "closedate"),
)
BY_TYPE = {
    "special": (
        "community special school",
        "foundation special school",
        "non-maintained special school",
        "other independent special school",
        "academy special converter",
        "academy special sponsor led",
        "free schools special",
        "special post 16 institution",
    ),
    "ap": (
        "pupil referral unit",
        "academy alternative provision converter",
        "academy alternative provision sponsor led",
        "free schools alternative provision",
    ),
}
BY_PHASE = {
    "primary": ("nursery", "primary", "middle deemed primary"),
    "secondary": ("secondary", "middle deemed secondary", "16 plus"),
    "all-through": ("all-through", "all through"),
}
PRIMARY_TO, SECONDARY_FROM = 13, 10  # age limits for the phase of a school without a published one


def convert(staging: Staging, people: PupilKeys, files: list[Path], report: Report) -> None:
    """State the schools of each file, and the newest open URN of each LAESTAB."""
    for n, file in enumerate(files):
        table = f"schools_{n}"
        report.read[file.name] = staging.csv(table, file, HEADINGS)
        if table not in staging.columns or not staging.need(table, (URN, PHASE)):
            continue
        have = staging.columns[table]
        report.absent += [f"{file.name}: {c}" for c in HEADINGS if c not in have]
        columns = {c: f"nullif(trim(\"{c}\"), '')" if c in have else "NULL::VARCHAR" for c in HEADINGS}
        _check(staging, table, have, columns)
        _report_left_out(staging, table, columns, report)
        stated = staging.add_return(None, [file], clock="row")
        stated.tables["schools"] = _schools(table, columns)
        if {NUMBER, AUTHORITY} <= set(have):
            stated.tables["same_schools"] = _numbers(table, columns)


def _check(staging: Staging, table: str, have: list[str], columns: dict[str, str]) -> None:
    staging.check(table, URN, f"{columns[URN]} IS NULL", "the URN is missing", "Fill it in, or remove the row.")
    for c in (LOW, HIGH):
        if c in have:
            bad = f"{columns[c]} IS NOT NULL AND ({expression_of('integer', columns[c])}) IS NULL"
            staging.check(table, c, bad, "the value is not a whole number", "Correct the rows.")


def phase_of(columns: dict[str, str]) -> str:
    """Return the expression of a school's phase: by type, published phase or ages; null if none determines it."""
    by_type = "".join(
        f" WHEN lower({columns[TYPE]}) IN {literals(names)} THEN {literal(p)}" for p, names in BY_TYPE.items()
    )
    by_phase = "".join(
        f" WHEN lower({columns[PHASE]}) IN {literals(names)} THEN {literal(p)}" for p, names in BY_PHASE.items()
    )
    low, high = (f"({expression_of('integer', columns[c])})" for c in (LOW, HIGH))
    return f"""CASE{by_type}{by_phase} WHEN {low} > {SECONDARY_FROM} THEN 'secondary' WHEN {high} <= {PRIMARY_TO} THEN 'primary'
        WHEN {low} >= {SECONDARY_FROM} THEN 'secondary' WHEN {low} < {SECONDARY_FROM} AND {high} > {PRIMARY_TO} THEN 'all-through' END"""


def _report_left_out(staging: Staging, table: str, columns: dict[str, str], report: Report) -> None:
    """Report the types left out for lack of a phase, such as universities."""
    left_out = staging.sql(
        f"SELECT coalesce({columns[TYPE]}, 'without a type'), count(*) FROM \"{table}\" WHERE ({phase_of(columns)}) IS NULL GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    if left_out:
        count, types = sum(n for _, n in left_out), ", ".join(t for t, _ in left_out[:10])
        report.notes.append(
            f"{staging.files[table].name}: {count:,} establishments without a phase or ages were left out ({types})"
        )


def _schools(table: str, columns: dict[str, str]) -> str:
    return f"""
        SELECT {columns[URN]} AS urn, {columns["establishmentname"]} AS name, {phase_of(columns)} AS phase, {columns[AUTHORITY]} AS authority,
            {expression_of("integer", columns[LOW])} AS low_age, {expression_of("integer", columns[HIGH])} AS high_age,
            coalesce({columns["trusts_(code)"]}, {columns["trusts_(name)"]}) AS trust
        FROM "{table}" WHERE ({phase_of(columns)}) IS NOT NULL"""


def _numbers(table: str, columns: dict[str, str]) -> str:
    """Return the query of the URN of each LAESTAB: the open one, else the newest."""
    newest = f"({columns['closedate']} IS NULL)::INT::VARCHAR || lpad({columns[URN]}, 9, '0')"
    return f"""
        SELECT {columns[AUTHORITY]} || lpad({columns[NUMBER]}, 4, '0') AS urn, max_by({columns[URN]}, {newest}) AS same_as
        FROM "{table}" WHERE {columns[NUMBER]} IS NOT NULL AND {columns[AUTHORITY]} IS NOT NULL GROUP BY 1"""


def recognises(contents: Contents) -> bool:
    """Recognise the format by its headings."""
    return contents.has(URN, PHASE)


RETURN = Return(
    name="schools",
    title="the extract of Get Information about Schools (edubasealldata) as published: every type, open and closed",
    fills=("schools",),
    cannot_know=(
        "the school that a number belonged to before (import school-links)",
        "the phase of establishments without a phase and ages, such as universities: they are left out",
    ),
    convert=convert,
    recognises=recognises,
)
