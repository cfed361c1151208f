"""Looked-after children (SSDA903, CSV): episodes in a row become one spell of care; missing periods as they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from histories.errors import Fault
from histories.returns.mapping import expression_of
from histories.returns.pupil_keys import PERSON

if TYPE_CHECKING:
    from histories.returns.pupil_keys import People
    from histories.returns.reading import Report
    from histories.returns.staging import Staging

NEEDED = {
    "header": ("child", "upn"),
    "episodes": ("child", "decom", "dec"),
    "missing": ("child", "mis_start", "mis_end"),
}
DATES = ("%d/%m/%Y", "%Y-%m-%d")


def convert(staging: Staging, people: People, files: list[Path], report: Report) -> None:
    """Fill ``out_social_care`` from the files named header, episodes and missing."""
    found: dict[str, list[str]] = {}
    for n, file in enumerate(files):
        kind = next((k for k in NEEDED if k in file.stem.lower() and "prev" not in file.stem.lower()), None)
        if kind is None:
            report.unused.append(f"{file.name}: only header, episodes and missing are read")
            continue
        report.read[file.name] = staging.csv(f"{kind}_{n}", file)
        if f"{kind}_{n}" in staging.columns and staging.need(f"{kind}_{n}", NEEDED[kind]):
            found.setdefault(kind, []).append(f"{kind}_{n}")
            unused = [c for c in staging.columns[f"{kind}_{n}"] if c not in NEEDED[kind]]
            report.unused.append(f"{file.name}: columns {', '.join(unused)}")
    for kind in ("header", "episodes"):
        if kind not in found and not staging.faults:
            do = "Name the folder that holds header.csv, episodes.csv and missing.csv."
            staging.faults.append(Fault(f"there is no file named like {kind}.csv", "import ssda903", do))
    for kind, columns in (("episodes", ("decom", "dec")), ("missing", ("mis_start", "mis_end"))):
        for table in found.get(kind, ()):
            for n, c in enumerate(columns):
                bad = f'"{c}" IS NOT NULL AND ({expression_of("date", c, DATES)}) IS NULL'
                bad += f' OR "{c}" IS NULL' if n == 0 else ""
                staging.check(table, c, bad, "the value is not a date like 04/09/2024", "Correct it, or fill it in.")
    staging.raise_faults()
    whole = {
        k: " UNION ALL ".join(f"SELECT {', '.join(NEEDED[k])} FROM {t}" for t in ts)
        for k, ts in ((k, found[k]) for k in found)
    }
    staging.sql(
        f"CREATE TABLE header AS SELECT DISTINCT child, coalesce(nullif(upn, ''), '{PERSON}' || child) AS upn FROM ({whole['header']})"
    )
    people.add("SELECT upn, NULL AS former FROM header")
    staging.sql("CREATE TABLE child AS SELECT h.child, p.pupil_id FROM header h JOIN person p USING (upn)")
    lost = staging.sql(
        f"SELECT count(DISTINCT child) FROM ({whole['episodes']}) WHERE child NOT IN (SELECT child FROM header)"
    )
    if lost[0][0]:
        report.notes.append(f"{lost[0][0]} children of the episodes are not in the header and were left out")
    # A placement that begins on the day on which the last one ended goes on with the same spell of care.
    parts = [
        f"""
        SELECT pupil_id, 'cla' AS kind, min(begun) AS start_date, CASE WHEN count(ended) = count(*) THEN max(ended) END AS end_date
        FROM (SELECT *, sum(fresh) OVER (PARTITION BY pupil_id ORDER BY begun, ended NULLS LAST) AS spell
              FROM (SELECT *, CASE WHEN begun <= max(coalesce(ended, DATE '2999-01-01')) OVER (PARTITION BY pupil_id ORDER BY begun, ended NULLS LAST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) + 1 THEN 0 ELSE 1 END AS fresh
                    FROM (SELECT DISTINCT c.pupil_id, ({expression_of("date", "decom", DATES)}) AS begun, ({expression_of("date", "dec", DATES)}) AS ended
                          FROM ({whole["episodes"]}) e JOIN child c USING (child))))
        GROUP BY pupil_id, spell"""
    ]
    if "missing" in whole:
        parts.append(f"""
        SELECT DISTINCT c.pupil_id, 'missing' AS kind, ({expression_of("date", "mis_start", DATES)}) AS start_date,
               ({expression_of("date", "mis_end", DATES)}) AS end_date FROM ({whole["missing"]}) m JOIN child c USING (child)""")
    staging.sql("CREATE TABLE out_social_care AS " + " UNION ALL BY NAME ".join(parts))
