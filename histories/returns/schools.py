"""The list of schools (Get Information about Schools), and the LAESTAB under which other returns name the same school.

The columns are declared in ``formats/schools.toml``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from histories.returns import mapped_rows
from histories.returns.mapping import FOLDER, load_mapping
from histories.returns.report import Report, Return

if TYPE_CHECKING:
    from histories.returns.pupil_keys import PupilKeys
    from histories.returns.staging import Staging

LAESTAB = ("urn", "la (code)", "establishmentnumber")


def convert(staging: Staging, people: PupilKeys, files: list[Path], report: Report) -> None:
    """State the schools of each file, and the newest open URN of each LAESTAB."""
    mapped_rows.convert(load_mapping(FOLDER / "schools.toml"), staging, people, files, report)
    tables = {file: name for name, file in staging.files.items()}
    for stated in staging.returns:
        table = tables[stated.files[0]]
        have = staging.columns[table]
        if not set(LAESTAB) <= set(have):
            continue
        closed = "nullif(trim(closedate), '') IS NULL" if "closedate" in have else "true"
        stated.tables["same_schools"] = f"""
            SELECT trim("la (code)") || lpad(trim(establishmentnumber), 4, '0') AS urn, max_by(trim(urn), ({closed})::INT::VARCHAR || lpad(trim(urn), 9, '0')) AS same_as
            FROM "{table}" WHERE nullif(trim(establishmentnumber), '') IS NOT NULL AND nullif(trim("la (code)"), '') IS NOT NULL GROUP BY 1"""


_MAPPING = load_mapping(FOLDER / "schools.toml")
RETURN = Return(
    name="schools", title=_MAPPING.title, fills=_MAPPING.fills, cannot_know=_MAPPING.cannot_know, convert=convert
)
