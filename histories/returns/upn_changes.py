"""A list of changed UPNs: a child whose new number was told without the old one stands twice until this list joins the two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from histories.errors import Fault
from histories.returns.report import Contents, Report, Return

if TYPE_CHECKING:
    from histories.returns.pupil_keys import PupilKeys
    from histories.returns.staging import Staging

NEEDED = ("upn", "former_upn")


def convert(staging: Staging, people: PupilKeys, files: list[Path], report: Report) -> None:
    """State which UPNs are one child."""
    for n, file in enumerate(files):
        table = f"changes_in_{n}"
        report.read[file.name] = staging.csv(table, file, NEEDED)
        if table not in staging.columns or not staging.need(table, NEEDED):
            continue
        for column in NEEDED:
            people.report_missing(table, column, report, "they were left out")
        people.add(f'SELECT upn, former_upn AS former FROM "{table}"')
        staging.add_return(None, [file], clock="row")
    if not staging.faults and not people.changes:
        do = "Write the UPN that counts now into upn, and the one before, with its right check letter, into former_upn."
        staging.faults.append(Fault("no row names two UPNs of one child", ", ".join(map(str, files)), do))


def recognises(contents: Contents) -> bool:
    """Tell whether a file is of this format: it has two columns only."""
    return any(row == set(NEEDED) for row in contents.rows)


RETURN = Return(
    name="upn-changes",
    title="a list of changed UPNs, CSV with the columns upn and former_upn; it joins a child that stands twice",
    fills=("no table of its own: all that is known of both UPNs becomes one child's",),
    cannot_know=("from which day on the new number was used",),
    convert=convert,
    recognises=recognises,
)
