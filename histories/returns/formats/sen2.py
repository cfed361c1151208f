"""The SEN2 person level return: COLLECT's Blade export, one CSV file for each module; plans become spells of provision.

Source of the layout: an open-source reader of the export, which names the columns of every module and their dates
(``2022-Sep-28 00:00:00``). No export itself was seen, so the period that a return covers is taken from its first module.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from histories.calendar import london_today
from histories.codes import code_set, extended_codes
from histories.errors import Fault
from histories.identity import clean_upn_sql
from histories.io.sql import literals
from histories.returns.mapping import expression_of
from histories.returns.report import Contents, Report, Return

if TYPE_CHECKING:
    from histories.returns.files.staging import Staging
    from histories.returns.pupil_keys import PupilKeys

# Each module's key and that of the module above it, by which its file is recognised whatever its name.
MODULES = {
    "sen2": ("sen2tableid", "referencedate"),
    "person": ("persontableid", "sen2tableid"),
    "requests": ("requeststableid", "persontableid"),
    "assessment": ("assessmenttableid", "requeststableid"),
    "namedplan": ("namedplantableid", "assessmenttableid"),
    "activeplans": ("activeplanstableid", "requeststableid"),
    "senneed": ("senneedtableid", "activeplanstableid"),
    "plandetail": ("plandetailtableid", "namedplantableid"),
    "placementdetail": ("placementdetailtableid", "activeplanstableid"),
}
READ = {
    "sen2": ("year", "lea", "referencedate", "datetime"),
    "person": ("persontableid", "upn", "personbirthdate", "sex", "gendercurrent", "ethnicity", "forename", "surname"),
    "requests": MODULES["requests"],
    "assessment": MODULES["assessment"],
    "namedplan": (*MODULES["namedplan"], "startdate", "ceasedate"),
    "activeplans": MODULES["activeplans"],
    "senneed": ("activeplanstableid", "sentype", "sentyperank"),
}
NEEDED = {"person": ("upn", "personbirthdate"), "requests": (), "assessment": (), "namedplan": ("startdate",)}
DAYS = ("referencedate", "datetime", "personbirthdate", "startdate", "ceasedate")
HEADINGS = {h for headings in (*MODULES.values(), *READ.values()) for h in headings}


def convert(staging: Staging, people: PupilKeys, files: list[Path], report: Report) -> None:
    """State the plans and children of each return."""
    staged: list[tuple[str, str, Path]] = []
    for n, file in enumerate(files):
        table = f"module_{n}"
        report.read[file.name] = staging.csv(table, file, HEADINGS, DAYS)
        if table not in staging.columns:
            continue
        module = module_of(frozenset(staging.columns[table]))
        if module not in READ:
            what = f"the module {module} is not read" if module else "it is no module of the return"
            report.unused.append(f"{file.name}: {what}")
        elif staging.need(table, NEEDED.get(module, ())):
            staged.append((module, table, file))
    for number, tables in enumerate(_returns(staged)):
        _state(staging, people, number, tables, report)
    if not staged and not staging.faults:
        do = "Name the folder with the modules sen2, person, requests, assessment and namedplan."
        staging.leave_out(files, Fault("no file is a module of SEN2", "import sen2", do))
    staging.raise_faults()


def module_of(headings: frozenset[str]) -> str | None:
    """Return which module has these headings, or None."""
    return next((name for name, keys in MODULES.items() if headings.issuperset(keys)), None)


def _returns(staged: list[tuple[str, str, Path]]) -> list[dict[str, str]]:
    """Sort tables into returns: those of a folder are one, unless it holds a module twice; then names without the module tell."""
    returns: dict[tuple[Path, str], dict[str, str]] = {}
    modules = [(file.parent, module) for module, _, file in staged]
    for module, table, file in staged:
        several = any(modules.count((file.parent, m)) > 1 for m in MODULES)
        name = file.stem.lower().rpartition(module)[0] if several else ""
        returns.setdefault((file.parent, name), {})[module] = table
    return list(returns.values())


def _state(staging: Staging, people: PupilKeys, number: int, tables: dict[str, str], report: Report) -> None:
    """State one return; leave it out if it lacks a module, and keep a fault for each value that is none."""
    files = [staging.files[t] for t in tables.values()]
    if lacking := [module for module in NEEDED if module not in tables]:
        do = "Export all modules into one folder; names like Blade-Export_01-03-2024_person.csv tell returns apart."
        what = f"the module {' and the module '.join(lacking)} is missing"
        staging.leave_out(files, Fault(what, str(files[0].parent), do))
        return
    if staging.faults:
        return
    _check(staging, tables, report)
    if staging.faults:
        return
    _children(staging, people, number, tables["person"], report)
    period, day, sender = _period(staging, tables, report)
    stated = staging.add_return(period, files, return_date=day, sender=sender)
    stated.tables["pupils"] = f"""
        SELECT DISTINCT p.pupil_id, CASE WHEN NOT starts_with(p.pupil_id, 'unlinked:') THEN p.pupil_id END AS upn_key, c.born AS date_of_birth,
            c.sex, c.ethnicity FROM sen2_child_{number} c JOIN person p USING (upn)"""
    stated.tables["sen"] = _plans(staging, number, tables, report)


def _check(staging: Staging, tables: dict[str, str], report: Report) -> None:
    for module in ("person", "requests", "assessment"):
        key = MODULES[module][0]
        twice = f'{key} IS NULL OR {key} IN (SELECT {key} FROM "{tables[module]}" GROUP BY 1 HAVING count(*) > 1)'
        what, do = "the key of the row is missing or occurs again", "Export the modules again."
        staging.check(tables[module], key, twice, what, do)
    what, do = "the value is not a date like 2022-Sep-28 00:00:00", "Correct the rows, or export again."
    for module in ("person", "namedplan"):
        table, have = tables[module], staging.columns[tables[module]]
        for c in (d for d in DAYS if d in have):
            empty = f'"{c}" IS NULL OR ' if c in ("personbirthdate", "startdate") else ""
            staging.check(table, c, f'{empty}"{c}" IS NOT NULL AND ({expression_of("date", c)}) IS NULL', what, do)
    for c, codes in (("sex", code_set("sex")), ("ethnicity", [*code_set("ethnicity"), *extended_codes("ethnicity")])):
        if c in staging.columns[tables["person"]]:
            staging.note_codes(report, tables["person"], c, codes)
    if "senneed" in tables and staging.need(tables["senneed"], ("sentype", "sentyperank")):
        staging.note_codes(report, tables["senneed"], "sentype", code_set("sen_need"))
    if "ceasedate" in staging.columns[tables["namedplan"]]:
        early = f"({expression_of('date', 'ceasedate')}) < ({expression_of('date', 'startdate')})"
        staging.note(report, tables["namedplan"], early, "end before they begin; the end is left empty")


def _children(staging: Staging, people: PupilKeys, number: int, table: str, report: Report) -> None:
    """Give the persons of a return their keys; those without a UPN wait under their names to be linked."""
    have = staging.columns[table]
    sex = f"upper(coalesce({', '.join(c for c in ('sex', 'gendercurrent') if c in have) or 'NULL'}))"
    upn, born = clean_upn_sql("upn"), expression_of("date", "personbirthdate")
    people.report_missing(table, "upn", report, "they need linking")
    people.report_shared(table, "upn", "persontableid", report)
    keys: dict[str, str] = {}
    if {"forename", "surname"} <= set(have):
        named = f'SELECT persontableid, forename, surname, ({born}), {sex} FROM "{table}" WHERE ({upn}) IS NULL'
        for row, forename, surname, day, stated_sex in staging.sql(f"{named} ORDER BY ALL"):
            if key := people.add_nameless(forename, surname, str(day), stated_sex):
                keys[row] = key
    staging.give(f"sen2_named_{number}", {"id": list(keys), "person": list(keys.values())})
    known = literals([*code_set("ethnicity"), *extended_codes("ethnicity")])
    ethnicity = f"CASE WHEN upper(ethnicity) IN {known} THEN upper(ethnicity) END" if "ethnicity" in have else "NULL"
    staging.sql(f"""
        CREATE TABLE sen2_child_{number} AS SELECT r.persontableid AS id, coalesce({clean_upn_sql("r.upn")}, n.person) AS upn, ({born}) AS born,
            CASE WHEN {sex} IN {literals(code_set("sex"))} THEN {sex} END AS sex, {ethnicity} AS ethnicity
        FROM "{table}" r LEFT JOIN sen2_named_{number} n ON n.id = r.persontableid""")
    people.add(f"SELECT upn, NULL AS former FROM sen2_child_{number}")


def _plans(staging: Staging, number: int, tables: dict[str, str], report: Report) -> str:
    """Return the query of the plans, each with the first of the needs that the active plan of the same request names."""
    plan, assessment, requests = (tables[m] for m in ("namedplan", "assessment", "requests"))
    begin, end = expression_of("date", "t.startdate"), "NULL::DATE"
    if "ceasedate" in staging.columns[plan]:
        end = f"CASE WHEN ({expression_of('date', 't.ceasedate')}) >= ({begin}) THEN {expression_of('date', 't.ceasedate')} END"
    needs = "SELECT NULL::VARCHAR AS requeststableid, NULL::VARCHAR AS need WHERE false"
    if {"activeplans", "senneed"} <= set(tables):
        needs = f"""SELECT a.requeststableid, min(upper(s.sentype)) AS need FROM "{tables["senneed"]}" s JOIN "{tables["activeplans"]}" a USING (activeplanstableid)
            WHERE try_cast(s.sentyperank AS DOUBLE) = 1 AND upper(s.sentype) IN {literals(code_set("sen_need"))} GROUP BY 1"""
        planned = f'SELECT a.requeststableid FROM "{plan}" t JOIN "{assessment}" a USING (assessmenttableid)'
        without = f"requeststableid NOT IN ({planned})"
        what = "have an active plan without a named plan, which says the start; they were left out"
        staging.note(report, tables["activeplans"], without, what)
    child = f'SELECT q.requeststableid, c.upn FROM "{requests}" q JOIN sen2_child_{number} c ON c.id = q.persontableid'
    lost = f'assessmenttableid NOT IN (SELECT a.assessmenttableid FROM "{assessment}" a JOIN ({child}) USING (requeststableid))'
    staging.note(report, plan, lost, "have a plan of no person of the return and were left out")
    return f"""
        SELECT DISTINCT p.pupil_id, ({begin}) AS start_date, ({end}) AS end_date, 'E' AS provision, n.need AS primary_need
        FROM "{plan}" t JOIN "{assessment}" a USING (assessmenttableid) JOIN ({child}) q USING (requeststableid) JOIN person p ON p.upn = q.upn
        LEFT JOIN ({needs}) n USING (requeststableid)"""


def _period(staging: Staging, tables: dict[str, str], report: Report) -> tuple[str | None, date | None, str]:
    """Return which return it is, its own date, and its authority; without the first module the newest day of a plan."""
    if "sen2" in tables:
        have = staging.columns[tables["sen2"]]
        cells = [f'max("{c}")' if c in have else "NULL" for c in ("year", "lea")]
        days = [f"max({expression_of('date', c)})" for c in ("datetime", "referencedate") if c in have]
        year, authority, day = staging.sql(
            f'SELECT {", ".join(cells)}, coalesce({", ".join(days)}) FROM "{tables["sen2"]}"'
        )[0]
        if year and year.isdigit():
            return year, day or date(int(year), 1, 31), authority or ""
    plan = tables["namedplan"]
    days = [f"max({expression_of('date', c)})" for c in ("startdate", "ceasedate") if c in staging.columns[plan]]
    day = staging.sql(f'SELECT greatest({", ".join(days)}) FROM "{plan}"')[0][0]
    report.notes.append("the module sen2 is missing: the return counts as made on the newest day of a plan")
    return None, min(day, london_today()) if day else None, ""


def recognises(contents: Contents) -> bool:
    """Tell whether a file is a module of the return by its keys."""
    return any(module_of(row) for row in contents.rows)


RETURN = Return(
    name="sen2",
    title="the SEN2 person level return, COLLECT's Blade export in CSV, one file for each module",
    fills=("sen", "pupils"),
    cannot_know=(
        "SEN support: it holds plans only",
        "when a row was entered: it counts as recorded when the return was made",
        "placements: their dates are not those of a roll, so they are not read",
    ),
    verified=(
        "column names, keys between modules and dates: read in an open-source reader of the export",
        "not verified: an export itself, and whether every active plan has a named plan",
    ),
    convert=convert,
    recognises=recognises,
)
