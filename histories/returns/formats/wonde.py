"""Marks from Wonde as JSON: one record a session, beside the records of students and of attendance codes that name them.

Source of the layout: Wonde's own client library, which names the fields ``student_id``, ``date``, ``session``,
``attendance_code_id`` and ``comment``. It writes such records; no answer of the service was seen. So names and nesting are
taken leniently: a record may hold ``upn`` and ``code`` itself, at any depth, or the files of students and codes give them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from histories.codes import code_set
from histories.errors import Fault, Faults
from histories.identity import clean_upn_sql
from histories.io.sql import literal, literals
from histories.returns.files.json_records import leaves, read_records
from histories.returns.files.row_buffer import RowBuffer
from histories.returns.mapping import expression_of
from histories.returns.pupil_keys import PERSON
from histories.returns.report import Contents, Report, Return

if TYPE_CHECKING:
    from histories.returns.files.staging import Staging
    from histories.returns.pupil_keys import PupilKeys

MARK = {"date", "session"}
COLUMNS = ["student", "upn", "date", "session", "code_id", "code"]


def convert(staging: Staging, people: PupilKeys, files: list[Path], report: Report) -> None:
    """State the marks of each file, with the students and codes of all of them."""
    students = RowBuffer(staging, "wonde_students", files[0], ["student", "upn", "folder"])
    codes = RowBuffer(staging, "wonde_codes", files[0], ["code_id", "code", "folder"])
    marks: dict[Path, RowBuffer] = {}
    for n, file in enumerate(files):
        table = RowBuffer(staging, f"wonde_{n}", file, COLUMNS)

        def take(record: dict[str, Any], number: int, table: RowBuffer = table, folder: str = str(file.parent)) -> None:
            values = leaves(record)
            student = values.get("student_id") or values.get("student.id") or values.get("student.data.id")
            code_id = values.get("attendance_code_id") or values.get("attendance_code.data.id")
            code, upn = _last(values, "code"), _last(values, "upn")
            if values.keys() >= MARK:
                row = (student, upn, values["date"], values["session"], code_id, code)
                table.add(number, *row)
            elif upn and values.get("id"):
                students.add(number, values["id"], upn, folder)
            elif code and values.get("id"):
                codes.add(number, values["id"], code, folder)

        try:
            report.read[file.name] = read_records(file, take)
        except Faults as unreadable:
            staging.faults += unreadable.faults
            continue
        table.flush()
        if staging.sql(f'SELECT 1 FROM "{table.name}" LIMIT 1'):
            marks[file] = table
    students.flush()
    codes.flush()
    if not marks and not staging.faults:
        do = "Name the file with the session attendance, and those with the students and the attendance codes."
        staging.leave_out(files, Fault("no record is a mark", ", ".join(map(str, files)), do))
    several = "GROUP BY student, folder HAVING count(DISTINCT upn) > 1"
    if count := len(staging.sql(f"SELECT student FROM wonde_students {several}")):
        do = "Put the files of each school into a folder of their own."
        where = ", ".join(map(str, files[:3]))
        staging.faults.append(Fault(f"{count} ids of students stand for several UPNs", where, do))
    staging.raise_faults()
    references = [f for f in files if f not in marks]
    for file, table in marks.items():
        _state(staging, people, table.name, [file, *references], report)
    staging.raise_faults()


def _last(values: dict[str, str], name: str) -> str | None:
    """Return the value of a name at any depth."""
    return next((v for path, v in values.items() if path.rpartition(".")[2] == name), None)


def _state(staging: Staging, people: PupilKeys, table: str, files: list[Path], report: Report) -> None:
    """State the marks of the first of some files; the others name its students and codes, and so are part of what it says."""
    staging.sql(f"""
        CREATE TABLE "{table}_named" AS SELECT m.onroll_line, coalesce(m.upn, s.upn) AS upn, m.student, m.date, upper(m.session) AS session,
            upper(coalesce(m.code, c.code, m.code_id)) AS code
        FROM "{table}" m LEFT JOIN ({_by_id("wonde_students", "student", "upn", files[0])}) s USING (student)
        LEFT JOIN ({_by_id("wonde_codes", "code_id", "code", files[0])}) c USING (code_id)""")
    named = f"{table}_named"
    staging.files[named], staging.columns[named] = files[0], ["upn", "student", "date", "session", "code"]
    day = expression_of("date", "date")
    staging.check(named, "date", f"({day}) IS NULL", "the value is not a date like 2024-09-04", "Correct the records.")
    session = f"session IS NULL OR session NOT IN {literals(code_set('session'))}"
    staging.check(named, "session", session, "the session is neither AM nor PM", "Correct the records.")
    known = literals(code_set("attendance"))
    unknown = f"code IS NULL OR code NOT IN {known}"
    what = "have no attendance code that is known; import the attendance codes with them. They were left out"
    staging.note(report, named, unknown, what)
    people.report_missing(named, "upn", report, "link them by student_id")
    staging.note(report, named, f"({_who()}) IS NULL", "name no student and were left out")
    people.add(f'SELECT {_who()} AS upn, NULL AS former FROM "{named}"')
    stated = staging.add_return(None, files, clock="row")
    stated.tables["attendance"] = f"""
        SELECT p.pupil_id, ({day}) AS "date", m.session, m.code, NULL::DATE AS recorded_on
        FROM "{named}" m JOIN person p ON p.upn = {_who("m.")} WHERE m.code IN {known}"""


def _by_id(table: str, key: str, value: str, file: Path) -> str:
    """Return the query of the value of each id: the one of the same folder, else the only one, since ids of schools may repeat."""
    beside = f"folder = {literal(str(file.parent))}"
    return f"""SELECT {key}, coalesce(min({value}) FILTER ({beside}), CASE WHEN count(DISTINCT {value}) = 1 THEN min({value}) END) AS {value}
        FROM {table} GROUP BY 1"""


def _who(prefix: str = "") -> str:
    return f"coalesce({clean_upn_sql(f'{prefix}upn')}, '{PERSON}' || {prefix}student)"


def recognises(contents: Contents) -> bool:
    """Recognise the format by the fields of its first record."""
    keys = contents.fields
    marks = keys >= MARK and bool(keys & {"student_id", "student"})
    codes = keys >= {"id", "code"} and bool(keys & {"description", "type"})
    return marks or codes or (keys >= {"id", "mis_id"} and "surname" in keys)


RETURN = Return(
    name="wonde",
    title="session attendance from Wonde as JSON, with the files of students and attendance codes",
    fills=("attendance",),
    cannot_know=(
        "the UPN of a student without the file of students: such marks wait to be linked by student_id",
        "when a mark was entered: it counts as recorded on its day",
    ),
    verified=(
        "field names of a mark: Wonde's client library, which writes such records",
        "not verified: the layout of answers of the service, of students and of attendance codes",
    ),
    convert=convert,
    recognises=recognises,
    suffixes=(".json",),
)
