"""The Common Transfer File (XML): a child's history of schools with the reasons for leaving.

Source of the layout: the file's published versions; ``CTFpupilData/Pupil`` and the older ``Pupils/Pupil`` are both read.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from histories.errors import Faults
from histories.returns.mapping import expression_of
from histories.returns.xml import Node, leaf, read_units, under

if TYPE_CHECKING:
    from histories.returns.pupil_keys import People
    from histories.returns.reading import Report
    from histories.returns.staging import Staging

PUPIL = ["upn", "former", "date_of_birth", "sex"]
SPELL = ["upn", "urn", "entry_date", "leaving_date", "leaving_ground"]


def rows_of(pupil: Node, line: int) -> tuple[tuple | None, list[tuple]]:
    """Return the row of a pupil and those of the schools, as text; None for a pupil without a UPN."""
    upn = leaf(pupil, "UPN")
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
        if leaf(s, "EntryDate")
    ]
    return (line, upn, former, leaf(pupil, "DOB"), sex), spells


def convert(staging: Staging, people: People, files: list[Path], report: Report) -> None:
    """Fill ``out_pupils`` and ``out_enrolments``; the school is known by its LA and establishment numbers."""
    for n, file in enumerate(files):
        pupils: list[tuple] = []
        spells: list[tuple] = []
        lost = [0]

        def take(
            node: Node, line: int, pupils: list[tuple] = pupils, spells: list[tuple] = spells, lost: list[int] = lost
        ) -> None:
            pupil, found = rows_of(node, line)
            lost[0] += pupil is None
            pupils += [pupil] if pupil else []
            spells += found

        try:
            report.read[file.name], _ = read_units(file, "CTfile", "Pupil", take)
        except Faults as found:
            staging.faults += found.faults
            continue
        if lost[0]:
            report.notes.append(f"{file.name}: {lost[0]} pupils without a UPN were left out; they need linking")
        staging.rows(f"pupils_{n}", file, PUPIL, pupils)
        staging.rows(f"spells_{n}", file, SPELL, spells)
        what, do = "the value is not a date like 2024-09-04", "Correct it in the system that made the file."
        for table, column in (
            (f"pupils_{n}", "date_of_birth"),
            (f"spells_{n}", "entry_date"),
            (f"spells_{n}", "leaving_date"),
        ):
            empty = "false" if column == "leaving_date" else f"{column} IS NULL"
            bad = f"{column} IS NOT NULL AND ({expression_of('date', column)}) IS NULL"
            staging.check(table, column, f"{empty} OR ({bad})", what, do)
        people.add(f"SELECT upn, former FROM pupils_{n}")
    staging.raise_faults()
    whole = lambda kind: " UNION ALL ".join(f"SELECT * FROM {kind}_{n}" for n in range(len(files)))  # noqa: E731
    day = lambda c: f"({expression_of('date', c)}) AS {c}"  # noqa: E731
    staging.sql(
        f"CREATE TABLE out_pupils AS SELECT p.pupil_id, any_value(r.upn) AS upn, any_value({expression_of('date', 'date_of_birth')}) AS date_of_birth, "
        f"any_value(CASE WHEN r.sex IN ('M', 'F', 'U') THEN r.sex END) AS sex FROM ({whole('pupils')}) r JOIN person p USING (upn) GROUP BY 1"
    )
    staging.sql(
        f"CREATE TABLE out_enrolments AS SELECT DISTINCT p.pupil_id, r.urn, {day('entry_date')}, {day('leaving_date')}, r.leaving_ground "
        f"FROM ({whole('spells')}) r JOIN person p USING (upn)"
    )
    report.notes.append("schools are named by their LA and establishment numbers (LAESTAB), not by URN")
