"""A people file: who the children are, as a list of a management system or as the names in the linkage store.

Nothing of it goes into histories, so no feature can see it.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.identity import clean_upn, pseudonym
from histories.io.sql import literal
from histories.linking.population_register import DAYS
from histories.linking.store import LinkageStore
from histories.returns.files.staging import Staging, listed
from histories.returns.mapping import expression_of

HEADINGS = {
    "reference": ("reference", "pupil_id", "local_reference"),
    "upn": ("upn", "unique_pupil_number"),
    "name": ("name", "full_name", "child_name", "pupil_name"),
    "forename": ("forename", "forenames", "first_name", "given_name", "child_forename"),
    "surname": ("surname", "last_name", "family_name", "child_surname"),
    "date_of_birth": ("date_of_birth", "dob", "birth_date", "birthdate"),
    "school_contact": ("school_contact", "contact_of_school", "contact_at_school", "school_telephone"),
    "system_id": ("system_id", "case_system_id", "person_id", "mosaic_id", "liquidlogic_id"),
}
LISTED = tuple(h for headings in HEADINGS.values() for h in headings)
MAX_LENGTH = 200  # characters of a cell
NAMES = "Name it name, or forename and surname; case, blanks and underscores do not matter."


@dataclass(frozen=True, kw_only=True)
class PeopleFile:
    """What a people file says.

    Attributes
    ----------
    people : dict
        Fields by pupil: ``name``, and of ``date_of_birth`` (date or None), ``upn``, ``school_contact`` and ``system_id`` (text, perhaps
        empty) those that the file has columns for.
    without_upn : int
        Rows whose UPN has not the form of one; it was left out.
    """

    people: dict[str, dict[str, Any]]
    without_upn: int = 0


def read_people_file(file: Path, key: bytes | None, memory: str | None = None) -> PeopleFile:
    """Read a CSV or XLSX file.

    Parameters
    ----------
    file : Path
    key : bytes or None
        The pseudonym key; it finds the pupil of a row that has a UPN and no reference.

    Raises
    ------
    Faults
        With everything that is wrong: missing columns, rows without a name or a child, children who are named twice, dates that
        cannot be read, cells that are too long. Lines are named, values never.
    """
    with tempfile.TemporaryDirectory(prefix="onroll-people-") as folder:
        staging = Staging(Path(folder), memory)
        try:
            staging.csv("raw", file, LISTED, HEADINGS["date_of_birth"])
            staging.raise_faults()
            columns = {c: [n for n in staging.columns["raw"] if n in headings] for c, headings in HEADINGS.items()}
            _check_columns(staging, file, columns)
            return _checked(staging, columns, key)
        finally:
            staging.connection.close()


def read_linkage_store(histories: Path) -> PeopleFile:
    """Read the names that imports put into the linkage store beside a folder of histories.

    Raises
    ------
    Faults
        When the store has no names.
    """
    import duckdb

    file = LinkageStore(histories).people
    if not file.is_file():
        do = "Import a return with names, such as the School Census, or name a people file."
        raise Faults(Fault("there are no names in the linkage store", str(file), do))
    query = f"""SELECT pupil_id, concat_ws(' ', nullif(trim(forename), ''), nullif(trim(surname), '')), try_cast(dob AS DATE), upn
        FROM read_parquet({literal(file)}) ORDER BY ALL"""
    with duckdb.connect() as connection:
        rows = connection.execute(query).fetchall()
    people = {
        pupil: {"name": name[:MAX_LENGTH], "date_of_birth": born, "upn": clean_upn(upn) or ""}
        for pupil, name, born, upn in rows
        if name
    }
    return PeopleFile(people=people)


def _check_columns(staging: Staging, file: Path, columns: dict[str, list[str]]) -> None:
    if not columns["name"] and not (columns["forename"] and columns["surname"]):
        staging.faults.append(Fault("the column is missing", f"{file}, column name", NAMES))
    if not columns["reference"] and not columns["upn"]:
        do = "Name it reference (as pages show it), or upn; with upn alone, set the pseudonym key that the import used."
        staging.faults.append(Fault("the column is missing", f"{file}, column reference", do))
    staging.raise_faults()


def _checked(staging: Staging, columns: dict[str, list[str]], key: bytes | None) -> PeopleFile:
    text = {column: _first(names) for column, names in columns.items()}
    name = f"coalesce({text['name']}, nullif(concat_ws(' ', {text['forename']}, {text['surname']}), ''))"
    born = expression_of("date", text["date_of_birth"], DAYS)
    _check_cells(staging, columns, name=name, born=born, text=text)
    fields = (text["reference"], text["upn"], name, born, text["school_contact"], text["system_id"])
    rows = staging.sql(f"SELECT onroll_line, {', '.join(fields)} FROM raw ORDER BY 1")
    people: dict[str, dict[str, Any]] = {}
    twice: list[int] = []
    nobody: list[int] = []
    without_upn = 0
    given = [c for c in ("date_of_birth", "upn", "school_contact", "system_id") if columns[c]]
    for line, reference, written_upn, whole_name, birth, contact, system in rows:
        upn = clean_upn(written_upn)
        without_upn += bool(written_upn) and upn is None
        pupil = reference or (pseudonym(upn, key) if upn else None)
        if pupil is None:
            nobody.append(line)
        elif pupil in people:
            twice.append(line)
        else:
            values = {
                "date_of_birth": birth,
                "upn": upn or "",
                "school_contact": contact or "",
                "system_id": system or "",
            }
            people[pupil] = {"name": whole_name, **{c: values[c] for c in given}}
    for what, lines in (("the row names no child", nobody), ("the child is named more than once", twice)):
        if lines:
            do = "Give each child one row, with a reference or a UPN."
            where = f"{staging.files['raw']}, lines {listed(lines)}"
            staging.faults.append(Fault(f"{len(lines)} of its rows: {what}", where, do))
    staging.raise_faults()
    return PeopleFile(people=people, without_upn=without_upn)


def _check_cells(
    staging: Staging, columns: dict[str, list[str]], *, name: str, born: str, text: dict[str, str]
) -> None:
    staging.check("raw", "name", f"{name} IS NULL", "the name is missing", "Give every child a name.")
    if columns["date_of_birth"]:
        unreadable = f"{text['date_of_birth']} IS NOT NULL AND ({born}) IS NULL"
        do = "Write it like 2013-05-01 or 01/05/2013."
        staging.check("raw", "date_of_birth", unreadable, "the date cannot be read", do)
    for column, cell in {**text, "name": name}.items():
        too_long = f"length({cell}) > {MAX_LENGTH}"
        staging.check("raw", column, too_long, "the cell is too long", f"Write at most {MAX_LENGTH} characters.")
    staging.raise_faults()


def _first(columns: list[str]) -> str:
    quoted = [f'"{column}"' for column in columns]
    return f"coalesce({', '.join([*quoted, 'NULL::VARCHAR'])})"
