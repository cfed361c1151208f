"""Write the returns of a simulated authority as one mixed folder: schools, areas, censuses, social care, marks, lists of leavers."""

from __future__ import annotations

from pathlib import Path

import openpyxl

from tests.support.return_files import opened, write_lists, write_marks, write_school_census, write_social_care

GROUNDS = {"home_education": "D", "state_school": "A", "missing_education": "I"}


def write_mixed_folder(histories: Path, folder: Path, *, first: int, last: int) -> None:
    """Write the censuses of the school years between two autumns, and every other return of the same years."""
    folder.mkdir(parents=True)
    write_school_census(histories, folder / "school census", (first, last))
    write_social_care(histories, folder / "social care")
    write_lists(histories, folder / "lists")
    schools = folder / "lists" / "schools.csv"
    schools.rename(folder / "edubasealldata20251001.csv")
    (folder / "lists" / "areas.csv").rename(folder / "IDACI 2025.csv")
    write_marks(histories, folder / "marks.csv", since=f"{first}-09-01")
    _write_deletions(histories, folder / "deletions.csv")
    _write_home_education(histories, folder / "Home education register.xlsx")
    (folder / "minutes of the meeting.docx").write_bytes(b"not a table")


def _leavers(histories: Path, where: str) -> list[tuple]:
    query = f"""SELECT p.upn, e.urn, e.leaving_date, e.destination, min(e.leaving_recorded_on) FROM enrolments e JOIN pupils p USING (pupil_id)
        WHERE p.upn IS NOT NULL AND e.leaving_date IS NOT NULL AND {where} GROUP BY ALL ORDER BY ALL"""
    return opened(histories).execute(query).fetchall()


def _write_deletions(histories: Path, file: Path) -> None:
    """Write the schools' deletion returns: all leavers but those who went to home education."""
    lines = ["UPN,School URN,Date removed from roll,Ground for deletion,Destination,Date of return"]
    for upn, urn, day, destination, recorded in _leavers(histories, "destination IS DISTINCT FROM 'home_education'"):
        ground = GROUNDS.get(destination or "", "")
        lines.append(f"{upn},{urn},{day:%d/%m/%Y},{ground},{destination or ''},{recorded:%d/%m/%Y}")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_home_education(histories: Path, file: Path) -> None:
    """Write the register of home education as a workbook with a title above the header."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Elective home education: children known to the authority"])
    sheet.append([])
    sheet.append(["UPN", "Previous school URN", "EHE start date", "Date of notice"])
    for upn, urn, day, _, recorded in _leavers(histories, "destination = 'home_education'"):
        sheet.append([upn, urn, day, recorded])
    book.save(file)
