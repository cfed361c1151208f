"""Say where one return contradicts itself: two rows of one key of which only one can be right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from histories.io.sql import literal
from histories.returns.report import Report

if TYPE_CHECKING:
    from histories.returns.files.staging import Staging

# Of a table: the key, the columns that can be only one for it, and what to say.
SINGLE = {
    "pupils": (("pupil_id",), ("date_of_birth",), "UPNs have several dates of birth: two children may share a UPN"),
    "schools": (("urn",), ("name", "phase", "low_age", "high_age"), "schools are stated twice and differently"),
    "areas": (("lsoa",), ("idaci_decile",), "areas are stated twice and differently"),
    "cme": (("pupil_id", "missing_from"), ("reported_on", "resolved_on"), "cases are stated twice and differently"),
}


def note_contradictions(staging: Staging, statements: Path, table: str, name: str, report: Report) -> None:
    """Add a note if the statements of a return for a table contradict each other.

    Parameters
    ----------
    name : str
        The file of the return.
    """
    if table not in SINGLE:
        return
    key, values, what = SINGLE[table]
    source = f"read_parquet({literal(statements)})"
    have = {r[0] for r in staging.sql(f"DESCRIBE SELECT * FROM {source}")}
    tests = [f"count(DISTINCT {v}) > 1" for v in values if v in have]
    if not tests or not have.issuperset(key):
        return
    groups = f"SELECT 1 FROM {source} GROUP BY {', '.join(key)} HAVING {' OR '.join(tests)}"
    if count := staging.sql(f"SELECT count(*) FROM ({groups})")[0][0]:
        report.notes.append(f"{name}: {count:,} {what}; one statement of each counts, so correct the others")
