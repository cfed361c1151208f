"""Numbers of one school: links between predecessors and successors in Get Information about Schools.

Source of the layout: the links file of Get Information about Schools (``links_edubasealldata*.csv``). Only a plain predecessor
or successor is the same school, as after conversion to an academy; pupils of merged or split schools have moved.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from histories.io.sql import literals
from histories.returns.report import Contents, Report, Return

if TYPE_CHECKING:
    from histories.returns.files.staging import Staging
    from histories.returns.pupil_keys import PupilKeys

LINKS = ("urn", "linkurn", "linktype")
SUCCESSOR = ("successor", "succeeded by")
PREDECESSOR = ("predecessor", "preceded by")


def convert(staging: Staging, people: PupilKeys, files: list[Path], report: Report) -> None:
    """State the successor of each URN."""
    for n, file in enumerate(files):
        table = f"links_{n}"
        report.read[file.name] = staging.csv(table, file, LINKS)
        if table not in staging.columns or not staging.need(table, LINKS):
            continue
        kind = "lower(trim(linktype))"
        other, _ = staging.lines(table, f"coalesce({kind}, '') NOT IN {literals((*SUCCESSOR, *PREDECESSOR))}")
        if other:
            report.notes.append(f"{file.name}: {other} links of other kinds, such as mergers, were left out")
        stated = staging.add_return(None, [file], clock="row")
        stated.tables["same_schools"] = f"""
            SELECT trim(urn) AS urn, trim(linkurn) AS same_as FROM "{table}" WHERE {kind} IN {literals(SUCCESSOR)}
            UNION SELECT trim(linkurn) AS urn, trim(urn) AS same_as FROM "{table}" WHERE {kind} IN {literals(PREDECESSOR)}"""


def recognises(contents: Contents) -> bool:
    """Recognise the format by its headings."""
    return contents.has(*LINKS)


RETURN = Return(
    name="school-links",
    title="links of Get Information about Schools (links_edubasealldata), by their column names",
    fills=("no table by itself: a school and its predecessor become one school, under the newest URN",),
    cannot_know=("which school pupils of a merged or split school belong to: they count as moved",),
    convert=convert,
    recognises=recognises,
)
