"""Looked-after children (SSDA903, CSV or XML): consecutive episodes become one spell of care; missing periods stay separate."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from histories.calendar import london_today
from histories.errors import Fault, Faults
from histories.identity import clean_upn_sql
from histories.io.quantities import quantity
from histories.returns.formats import ssda903_xml
from histories.returns.mapping import expression_of
from histories.returns.pupil_keys import PERSON
from histories.returns.report import TABULAR, Contents, Report, Return

if TYPE_CHECKING:
    from histories.returns.files.staging import Staging
    from histories.returns.pupil_keys import PupilKeys

NEEDED = {
    "header": ("child", "upn"),
    "episodes": ("child", "decom", "dec"),
    "missing": ("child", "mis_start", "mis_end"),
}
OTHERS = ("prev", "sw_", "swepisodes")  # parts of names of other files of the return
BEGINS_AND_ENDS = {"episodes": ("decom", "dec"), "missing": ("mis_start", "mis_end")}


def convert(staging: Staging, people: PupilKeys, files: list[Path], report: Report) -> None:
    """State the episodes and missing periods of each year, from XML or from files named header, episodes and missing."""
    tables: dict[str, list[str]] = {kind: [] for kind in NEEDED}
    years: dict[tuple[Path, str], list[str]] = {}
    for n, file in enumerate(files):
        stage = _stage_xml if is_xml(file) else _stage_csv
        for name in stage(staging, file, n, report):
            tables[name.partition("_")[0]].append(name)
            years.setdefault(_return_of(file), []).append(name)
    _check(staging, tables, report)
    _report_changed(staging, tables["header"], report)
    for number, (place, names) in enumerate(years.items()):
        headers = headers_of(place, years)
        lacking = [k for k, there in (("header", headers), ("episodes", tables["episodes"])) if not there]
        if lacking:
            what = f"there is no file named like {' or '.join(f'{k}.csv' for k in lacking)}"
            do = "Put header.csv, episodes.csv and missing.csv of one return in one folder, or use the return as XML."
            staging.leave_out([staging.files[t] for t in names], Fault(what, str(place[0]), do))
            continue
        _children(staging, people, number, headers, tables=names, report=report)
        day = year_end(staging, names)
        for table in names:
            kind = table.partition("_")[0]
            if kind != "header":
                period = f"{day.year} {kind}" if day else None
                file = staging.files[table]
                listed = [] if is_xml(file) else [staging.files[t] for t in headers]
                children = f"SELECT DISTINCT pupil_id FROM child_{number} WHERE child IN ({_listed_by(names)})"
                stated = staging.add_return(period, [file, *listed], return_date=day, children=children)
                stated.tables["social_care"] = _select(table, kind, number)


def _report_changed(staging: Staging, headers: list[str], report: Report) -> None:
    """Report children who have another UPN in another header of a folder: without the change they have two histories."""
    folders: dict[Path, list[str]] = {}
    for table in headers:
        folders.setdefault(staging.files[table].parent, []).append(table)
    for tables in folders.values():
        rows = " UNION ALL ".join(f'SELECT child, ({clean_upn_sql("upn")}) AS upn FROM "{t}"' for t in tables)
        several = f"SELECT child FROM ({rows}) GROUP BY 1 HAVING count(DISTINCT upn) > 1"
        if len(tables) > 1 and (count := len(staging.sql(several))):
            names = ", ".join(staging.files[t].name for t in tables)
            what = "have different UPNs in these headers; import upn-changes if a UPN was changed"
            report.notes.append(f"{names}: {count} of the children (CHILD) {what}")


def headers_of(place: tuple[Path, str], years: dict[tuple[Path, str], list[str]]) -> list[str]:
    """Return the tables of the headers that name the children of a return: its own, else those of its folder or of a folder of headers.

    CHILD is an authority's own number: another authority gives the same one to another child.
    """
    by_folder: dict[Path, list[str]] = {}
    for (folder, _), names in years.items():
        by_folder.setdefault(folder, []).extend(names)
    only_headers = [names for names in by_folder.values() if all(t.startswith("header") for t in names)]
    choices = [years[place], by_folder[place[0]], [t for names in only_headers for t in names]]
    return next((headers for names in choices if (headers := [t for t in names if t.startswith("header")])), [])


def is_xml(file: Path) -> bool:
    """Tell by its ending whether a file is XML."""
    return file.suffix.lower() == ".xml"


def _return_of(file: Path) -> tuple[Path, str]:
    """Return what the files of one return share: an XML file is one by itself, CSV files differ by the word for their kind."""
    stem = file.stem.lower()
    return file.parent, file.name if is_xml(file) else stem.replace(kind_of(stem) or "", "")


def _stage_csv(staging: Staging, file: Path, number: int, report: Report) -> list[str]:
    """Stage a file of one kind as ``<kind>_<number>``; return the table's name, or nothing when it is not read."""
    kind = kind_of(file.stem.lower())
    if kind is None:
        report.unused.append(f"{file.name}: only the files header, episodes and missing are read")
        return []
    name = f"{kind}_{number}"
    report.read[file.name] = staging.csv(name, file, NEEDED[kind], BEGINS_AND_ENDS.get(kind, ()))
    if name not in staging.columns or not staging.need(name, NEEDED[kind]):
        return []
    if unused := [c for c in staging.columns[name] if c not in NEEDED[kind]]:
        report.unused.append(f"{file.name}: columns {', '.join(unused)}")
    return [name]


def _stage_xml(staging: Staging, file: Path, number: int, report: Report) -> list[str]:
    """Stage an XML file; return the names of its tables, or nothing when it is at fault."""
    try:
        report.read[file.name], names = ssda903_xml.stage(staging, file, number)
    except Faults as unreadable:
        staging.faults += unreadable.faults
        return []
    report.unused.append(f"{file.name}: only UPN, EPISODE and AMISSING are read")
    return names


def _check(staging: Staging, tables: dict[str, list[str]], report: Report) -> None:
    for kind, columns in BEGINS_AND_ENDS.items():
        for table in tables[kind]:
            begin, end = (f"({expression_of('date', c)})" for c in columns)
            staging.note(report, table, f"{end} < {begin}", "end before they begin")
            staging.note(
                report, table, f"greatest({begin}, {end}) > DATE '{london_today()}'", "have a date in the future"
            )
            for n, c in enumerate(columns):
                bad = f'"{c}" IS NOT NULL AND ({expression_of("date", c)}) IS NULL'
                bad += f' OR "{c}" IS NULL' if n == 0 else ""
                staging.check(table, c, bad, "the value is not a date like 04/09/2024", "Correct it, or fill it in.")
    staging.raise_faults()


def _children(
    staging: Staging, people: PupilKeys, number: int, headers: list[str], *, tables: list[str], report: Report
) -> None:
    """Give each CHILD its key, by the headers of its return; children with UN1 to UN7 instead of a UPN must be linked."""
    rows = " UNION ALL ".join(f'SELECT child, ({clean_upn_sql("upn")}) AS upn FROM "{t}"' for t in headers)
    twice = f"child IN (SELECT child FROM ({rows}) GROUP BY 1 HAVING count(DISTINCT upn) > 1)"
    for table in (t for t in tables if t.startswith("header")):
        people.report_missing(table, "upn", report, "link them by CHILD")
        people.report_shared(table, "upn", "child", report)
    for table in headers:
        what, do = "the child has several UPNs", "Correct the header, or name files so that each goes with its header."
        staging.check(table, "CHILD", twice, what, do)
    staging.raise_faults()
    staging.sql(f"""
        CREATE TABLE header_of_{number} AS SELECT child, coalesce(max(upn), '{PERSON}' || child) AS upn
        FROM ({rows}) WHERE child IS NOT NULL GROUP BY child""")
    people.add(f"SELECT upn, NULL AS former FROM header_of_{number}")
    staging.sql(
        f"CREATE TABLE child_{number} AS SELECT h.child, p.pupil_id FROM header_of_{number} h JOIN person p USING (upn)"
    )
    for table in tables:
        staging.note(report, table, "child IS NULL", "have no CHILD and were left out")
    named = ", ".join(staging.files[t].name for t in headers)
    for table in (t for t in tables if not t.startswith("header")):
        test = f"child NOT IN (SELECT child FROM child_{number})"
        lost = staging.sql(f'SELECT count(DISTINCT child) FROM "{table}" WHERE {test}')[0][0]
        if lost:
            _, lines = staging.lines(table, test)
            report.notes.append(
                f"{quantity(lost, 'child')} of {staging.files[table].name} not in {named} (column CHILD, lines {lines}); left out"
            )


def _listed_by(tables: list[str]) -> str:
    return " UNION ".join(f'SELECT child FROM "{t}" WHERE child IS NOT NULL' for t in tables)


def year_end(staging: Staging, tables: list[str]) -> date | None:
    """Return the 31 March on or after the newest date in a return up to today, the end of its year."""
    newest = None
    for table in tables:
        columns = BEGINS_AND_ENDS.get(table.partition("_")[0], ())
        for c in columns:
            days = f'SELECT {expression_of("date", c)} AS d FROM "{table}"'
            day = staging.sql(f"SELECT max(d) FILTER (d <= DATE '{london_today()}') FROM ({days})")[0][0]
            newest = max(filter(None, (newest, day)), default=None)
    if newest is None:
        return None
    return date(newest.year + (newest > date(newest.year, 3, 31)), 3, 31)


def _select(table: str, kind: str, number: int) -> str:
    begin, end = (f"({expression_of('date', c)})" for c in BEGINS_AND_ENDS[kind])
    name = {"episodes": "cla", "missing": "missing"}[kind]
    return f"""SELECT DISTINCT c.pupil_id, '{name}' AS kind, {begin} AS start_date, {end} AS end_date FROM "{table}" t JOIN child_{number} c USING (child)"""


def kind_of(stem: str) -> str | None:
    """Return the kind of file that a name belongs to, or None."""
    return next((k for k in NEEDED if k in stem and not any(o in stem for o in OTHERS)), None)


def recognises(contents: Contents) -> bool:
    """Recognise the format by root element, or by file name and headings."""
    if contents.root == ssda903_xml.ROOT:
        return True
    kind = kind_of(contents.stem)
    return kind is not None and contents.has(*NEEDED[kind])


RETURN = Return(
    name="ssda903",
    title="looked-after children (SSDA903) of one or more years, XML or the CSV files header, episodes and missing",
    fills=("social_care",),
    cannot_know=(
        "when a row was entered: it counts as recorded on 31 March, at the end of the return's year",
        "children without a UPN (they need linking)",
    ),
    verified=(
        "CSV and XML: the headings and elements of an open-source validator and of its made-up return",
        "not verified: where XML holds the episodes of social workers; only EPISODE is an episode of care",
    ),
    convert=convert,
    recognises=recognises,
    suffixes=(*TABULAR, ".xml"),
)
