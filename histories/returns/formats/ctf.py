"""The Common Transfer File (XML): a child's history of schools with the reasons for leaving.

A file sent to the database of lost pupils (destination XXX/XXXX) says that nobody knows where its pupils went.

Source of the layout: the file's published versions; ``CTFpupilData/Pupil`` and the older ``Pupils/Pupil`` are both read.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from histories.codes import code_set
from histories.errors import Faults
from histories.identity import clean_upn
from histories.io.quantities import quantity
from histories.io.sql import literals
from histories.returns.files.row_buffer import RowBuffer
from histories.returns.files.xml import Node, leaf, read_units, under
from histories.returns.mapping import expression_of
from histories.returns.report import Contents, Report, Return

if TYPE_CHECKING:
    from histories.returns.files.staging import Staging
    from histories.returns.pupil_keys import PupilKeys

PUPIL = ["upn", "former", "date_of_birth", "sex"]
SPELL = ["upn", "urn", "entry_date", "leaving_date", "leaving_ground", "destination", "destination_urn"]
LOST, LEFT_SECTOR = ("XXX", "XXXX"), ("MMM", "MMMM")  # authority and establishment of the database of lost pupils


def rows_of(pupil: Node, line: int) -> tuple[tuple | None, list[tuple]]:
    """Return the row of a pupil and the rows of the pupil's schools, as text; None for a pupil without a UPN."""
    upn = clean_upn(leaf(pupil, "UPN"))
    if upn is None:
        return None, []
    basics = [pupil, *under(pupil, "BasicDetails")]
    former = next((f for b in basics if (f := leaf(b, "FormerUPN"))), None)
    sex = leaf(pupil, "Sex") or leaf(pupil, "Gender")
    spells = [
        (
            line,
            upn,
            f"{leaf(s, 'LEA') or ''}{leaf(s, 'Estab') or ''}",
            leaf(s, "EntryDate"),
            leaf(s, "LeavingDate"),
            leaf(s, "LeavingReason"),
        )
        for s in under(pupil, "SchoolHistory", "School")
    ]
    return (line, upn, former, leaf(pupil, "DOB"), sex), spells


def with_destination(spells: list[tuple], header: dict[str, str]) -> tuple[list[tuple], int]:
    """Add the header's destination to the last spell of each pupil at the sending school.

    In a file for the database of lost pupils the destination is unknown. A file for pupils who left the state sector does not
    say where they went, so their destination stays empty.

    Returns
    -------
    list of tuple, int
        The spells with destination and number of the next school, and the number of pupils who left the state sector.
    """
    source, target = (
        (header.get(f"{s}/LEA", "").upper(), header.get(f"{s}/Estab", "").upper())
        for s in ("SourceSchool", "DestSchool")
    )
    destination = "unknown" if target == LOST else None
    number = "".join(target) if all(part.isdigit() for part in target) else None
    last: dict[str, str] = {}
    for _, upn, urn, entry, leaving, _ in spells:
        if urn == "".join(source) and entry and leaving:
            last[upn] = max(last.get(upn, ""), entry)
    placed = [
        (*s, *((destination, number) if s[2] == "".join(source) and last.get(s[1]) == s[3] and s[4] else (None, None)))
        for s in spells
    ]
    return placed, len(last) if target == LEFT_SECTOR else 0


def convert(staging: Staging, people: PupilKeys, files: list[Path], report: Report) -> None:
    """State the pupils and spells of each file; schools are identified by LA and establishment numbers."""
    days: dict[int, date | None] = {}
    for n, file in enumerate(files):
        pupils: list[tuple] = []
        spells: list[tuple] = []
        without_upn = RowBuffer(staging, f"without_upn_{n}", file, ["upn"])

        def take(
            node: Node,
            line: int,
            pupils: list[tuple] = pupils,
            spells: list[tuple] = spells,
            without_upn: RowBuffer = without_upn,
        ) -> None:
            pupil, school_rows = rows_of(node, line)
            if pupil is None:
                without_upn.add(line, None)
            pupils += [pupil] if pupil else []
            spells += school_rows

        try:
            report.read[file.name], header = read_units(file, "CTfile", {"Pupil": take})
        except Faults as unreadable:
            staging.faults += unreadable.faults
            continue
        days[n] = _day(header.get("DateTime", ""))
        without_upn.flush()
        staging.note(
            report, without_upn.name, "true", "have a pupil without a UPN and were left out; they need linking"
        )
        staging.rows(f"pupils_{n}", file, PUPIL, pupils)
        placed, left_sector = with_destination(spells, header)
        if left_sector:
            report.notes.append(
                f"{file.name}: {quantity(left_sector, 'pupil')} left the state sector (MMM/MMMM); the destination is not stated"
            )
        staging.rows(f"spells_{n}", file, SPELL, placed)
        what, do = "the value is not a date like 2024-09-04", "Correct it in the source system and export again."
        for table, column in (
            (f"pupils_{n}", "date_of_birth"),
            (f"spells_{n}", "entry_date"),
            (f"spells_{n}", "leaving_date"),
        ):
            empty = f"{column} IS NULL" if column == "date_of_birth" else "false"
            bad = f"{column} IS NOT NULL AND ({expression_of('date', column)}) IS NULL"
            staging.check(table, column, f"{empty} OR ({bad})", what, do)
        staging.note_codes(report, f"pupils_{n}", "sex", code_set("sex"))
        numbers = "nullif(urn, '') IS NULL"
        staging.note(report, f"spells_{n}", numbers, "have a school without a number and were left out")
        staging.note(
            report, f"spells_{n}", "entry_date IS NULL", "have a school without an entry date and were left out"
        )
        early = f"({expression_of('date', 'leaving_date')}) < ({expression_of('date', 'entry_date')})"
        staging.note(report, f"spells_{n}", early, "end before they begin")
        people.add(f"SELECT upn, former FROM pupils_{n}")
    staging.raise_faults()
    for n, day in days.items():
        # Without a date in the header, rows count as recorded on the dates of the spells.
        stated = staging.add_return(None, [files[n]], return_date=day, clock="return" if day else "row")
        stated.tables["pupils"] = f"""
            SELECT DISTINCT p.pupil_id, p.pupil_id AS upn_key, {expression_of("date", "date_of_birth")} AS date_of_birth,
                CASE WHEN upper(r.sex) IN {literals(code_set("sex"))} THEN upper(r.sex) END AS sex FROM pupils_{n} r JOIN person p USING (upn)"""
        stated.tables["enrolments"] = f"""
            SELECT DISTINCT p.pupil_id, r.urn, ({expression_of("date", "entry_date")}) AS entry_date, ({expression_of("date", "leaving_date")}) AS leaving_date,
                CASE WHEN r.leaving_date IS NOT NULL THEN r.leaving_ground END AS leaving_ground, r.destination, r.destination_urn FROM spells_{n} r JOIN person p USING (upn) WHERE r.entry_date IS NOT NULL AND nullif(r.urn, '') IS NOT NULL"""
    report.notes.append(
        "schools are identified by LA and establishment numbers (LAESTAB); import a list of schools to match them to URNs"
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def recognises(contents: Contents) -> bool:
    """Recognise the format by root element."""
    return contents.root == "CTfile"


RETURN = Return(
    name="ctf",
    title="Common Transfer Files, XML",
    fills=("pupils", "enrolments"),
    cannot_know=(
        "when a row was entered: it counts as recorded on the date in the header, or else on its own date",
        "where pupils went who left the state sector (MMM/MMMM)",
        "the URN of a school: only its LA and establishment numbers are given",
    ),
    convert=convert,
    recognises=recognises,
    suffixes=(".xml", ".ctf"),
)
