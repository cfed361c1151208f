"""A list of changed UPNs: it joins the two histories of a child whose new UPN arrived without the former one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from histories.errors import Fault
from histories.returns.report import Contents, Report, Return

if TYPE_CHECKING:
    from histories.returns.files.staging import Staging
    from histories.returns.pupil_keys import PupilKeys

NEEDED = ("upn", "former_upn")


def convert(staging: Staging, people: PupilKeys, files: list[Path], report: Report) -> None:
    """State the UPNs that belong to one child."""
    for n, file in enumerate(files):
        table = f"changes_in_{n}"
        report.read[file.name] = staging.csv(table, file, NEEDED)
        if table not in staging.columns or not staging.need(table, NEEDED):
            continue
        for column in NEEDED:
            people.report_missing(table, column, report, "they were left out")
        people.add(f'SELECT upn, former_upn AS former FROM "{table}"')
    if people.changes:
        for file in files:
            staging.add_return(None, [file], clock="row")
    elif not staging.faults:
        notes = "; ".join(["no row has two UPNs of one child", *report.notes])
        do = "Write the current UPN into upn, and the former one, with a valid check letter, into former_upn."
        staging.leave_out(files, Fault(notes, ", ".join(map(str, files)), do))


def recognises(contents: Contents) -> bool:
    """Recognise the format by its two columns, and no others."""
    return any(row == set(NEEDED) for row in contents.rows)


RETURN = Return(
    name="upn-changes",
    title="a list of changed UPNs, CSV with the columns upn and former_upn; it joins the two histories of one child",
    fills=("no table by itself: the records of both UPNs become those of one child",),
    cannot_know=("since when the new UPN has been used",),
    convert=convert,
    recognises=recognises,
)
