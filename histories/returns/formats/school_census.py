"""The School Census as authorities receive it: COLLECT's CSV export, one file per table and term.

Source of the layout: the export as read by pipelines of London authorities (School Census 2015 to 2026). Columns are read by
name. All rows count as recorded on census day, not on the day they happened. Attendance is a term in arrears: the spring census
has the autumn term, the summer census the spring term, the autumn census both halves of the summer term.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from histories.calendar import term_dates
from histories.codes import code_set, extended_codes
from histories.errors import Fault, Faults
from histories.identity import clean_upn_sql, pseudonym
from histories.io.quantities import quantity
from histories.io.sql import literals
from histories.returns.formats import school_census_xml
from histories.returns.formats.census_layout import (
    CATEGORIES,
    CODES,
    COVERED,
    DAYS,
    ENDS,
    FILE,
    KINDS,
    NEEDED,
    NOT_EMPTY,
    PROVISIONS,
    PUT,
    STATED,
    CensusFiles,
    census_day,
)
from histories.returns.formats.postcodes import add_keys, bare_sql
from histories.returns.mapping import expression_of
from histories.returns.report import TABULAR, Contents, Report, Return

if TYPE_CHECKING:
    from histories.returns.files.staging import Staging
    from histories.returns.formats.school_census_xml import CensusOfSchool
    from histories.returns.pupil_keys import PupilKeys

MAX_LATE = 31  # days by which the real day of a census may lie after the computed one
SQL = Path(__file__).with_name("school_census.sql")


def convert(staging: Staging, people: PupilKeys, files: list[Path], report: Report) -> None:
    """State the rows of each census, from the files of one or more."""
    parts: dict[str, list[str]] = {}
    seen: set[tuple[str, str]] = set()
    censuses: dict[str, dict[Path, list[str]]] = {}
    sorted_files = []
    for file in (f for f in files if not is_xml(f)):
        match = FILE.fullmatch(file.stem.lower())
        kind = match and next((k for k in KINDS if match["table"].startswith(k)), None)
        if match is None or kind is None:
            why = "the table is not read" if match else "the name is not like 2024_autumn_pupilonroll.csv"
            report.unused.append(f"{file.name}: {why}")
            continue
        sorted_files.append((file, match, kind))
        censuses.setdefault(f"{match['year']} {match['term']}", {}).setdefault(file.parent, []).append(match["table"])
    returns: dict[tuple[str, Path | None], CensusFiles] = {}
    for file, match, kind in sorted_files:
        census = f"{match['year']} {match['term']}"
        seen.add((census, kind))
        # Two folders of one census are one return, unless both have the same table: then the second corrects the first.
        tables = [t for listed in censuses[census].values() for t in listed]
        part = (census, file.parent if len(tables) > len(set(tables)) else None)
        given = returns.setdefault(
            part,
            CensusFiles(number=len(returns), term=match["term"], day=census_day(int(match["year"]), match["term"])),
        )
        name = f"{match['year']}_{match['term']}_{match['table']}_{given.number}"
        report.read[file.name] = staging.csv(name, file, KINDS[kind], DAYS)
        if name in staging.columns and (
            select := _select(staging, name, kind=kind, table=match["table"], given=given, report=report)
        ):
            parts.setdefault(PUT.get(kind, kind), []).append(select)
            given.files.append(file)
            given.kinds.add(PUT.get(kind, kind))
    for n, file in enumerate(f for f in files if is_xml(f)):
        if census_of_school := _stage_xml(staging, file, n, report):
            census, given = _file_of_school(census_of_school, file, len(returns))
            censuses.setdefault(census, {})
            returns[census, file] = given
            for name, (kind, table) in census_of_school.tables.items():
                seen.add((census, kind))
                if select := _select(staging, name, kind=kind, table=table, given=given, report=report):
                    parts.setdefault(PUT.get(kind, kind), []).append(select)
                    given.kinds.add(PUT.get(kind, kind))
    _complain(staging, files, set(censuses), seen=seen, parts=parts, report=report)
    _make_raw(staging, parts)
    _people(staging, people, report)
    sets = {
        "sexes": "sex",
        "ethnicities": "ethnicity",
        "statuses": "enrolment_status",
        "years": "nc_year",
        "reasons": "suspension_reason",
        "needs": "sen_need",
        "codes": "attendance",
    }
    days = {f"day_{c}": f"({expression_of('date', c)})" for c in DAYS}
    staging.sql(
        SQL.read_text(encoding="utf-8").format(
            **{k: literals([*code_set(n), *extended_codes(n)]) for k, n in sets.items()}, **days
        )
    )
    for (census, _), given in returns.items():
        stated = staging.add_return(census, given.files, return_date=given.day, part=given.part)
        for table, kind in STATED.items():
            if kind in given.kinds:
                stated.tables[table] = f"SELECT * EXCLUDE (part) FROM stated_{table} WHERE part = {given.number}"
    _notes(staging, people, report)


def _make_raw(staging: Staging, parts: dict[str, list[str]]) -> None:
    """Join the files of each kind in one table; a kind without a file has an empty one."""
    for kind, columns in KINDS.items():
        put = PUT.get(kind, kind)
        empty = "SELECT " + ", ".join(f"NULL::VARCHAR AS {c}" for c in columns)
        empty += (
            ", NULL::DATE AS day, NULL::BIGINT AS line, NULL::VARCHAR AS id, NULL::INTEGER AS part, false AS left_roll, "
            "NULL::DATE AS term_start, NULL::DATE AS term_end WHERE false"
        )
        staging.sql(f"CREATE OR REPLACE TABLE raw_{put} AS " + " UNION ALL BY NAME ".join(parts.get(put) or [empty]))


def is_xml(file: Path) -> bool:
    """Tell by its ending whether a file is XML."""
    return file.suffix.lower() == ".xml"


def _file_of_school(school: CensusOfSchool, file: Path, number: int) -> tuple[str, CensusFiles]:
    """Return which census the file of a school is of, and the file as a part of it."""
    day = census_day(school.year, school.term)
    given = CensusFiles(number=number, term=school.term, day=day, files=[file], part=school.school)
    return f"{school.year} {school.term}", given


def _stage_xml(staging: Staging, file: Path, number: int, report: Report) -> CensusOfSchool | None:
    """Stage the file of a school; None when it is at fault."""
    try:
        census = school_census_xml.stage(staging, file, number, KINDS)
    except Faults as unreadable:
        staging.faults += unreadable.faults
        return None
    report.read[file.name] = census.pupils
    report.unused.append(f"{file.name}: elements that are no column of the CSV export")
    return census


def _select(staging: Staging, name: str, *, kind: str, table: str, given: CensusFiles, report: Report) -> str | None:
    have = staging.columns[name]
    on_roll = kind in ("pupilonroll", "pupilnolongeronroll")
    id_column = (
        f"{table}tableid"
        if on_roll
        else next((c for c in ("pupilonrolltableid", "pupilnolongeronrolltableid") if c in have), "pupilonrolltableid")
    )
    needed = (*NEEDED, id_column) if on_roll else (id_column, *KINDS[kind][:1])
    if not staging.need(name, needed):
        return None
    if on_roll:
        twice = f'"{id_column}" IS NULL OR "{id_column}" IN (SELECT "{id_column}" FROM "{name}" GROUP BY 1 HAVING count(*) > 1)'
        staging.check(
            name, id_column, twice, "the key of the row is missing or occurs again", "Export the table again."
        )
        staging.check(name, "nativeid", "nativeid IS NULL", "the number of the school is missing", "Fill it in.")
    used = [c for c in KINDS[kind] if c in have]
    other = [c for c in have if c not in used and c != id_column]
    if other:
        report.unused.append(f"{staging.files[name].name}: columns {', '.join(other)}")
    if kind != "pupilnolongeronroll":
        optional = ("leavingdate", "ncyearleaving") if on_roll else ("nativeid",)
        report.absent += [f"{staging.files[name].name}: {c}" for c in KINDS[kind] if c not in (*have, *optional)]
    for c in used:
        what, do = "the value is not a date like 2024-Sep-04 00:00:00", "Correct the rows, or export again."
        if c in DAYS:
            empty = f'"{c}" IS NULL OR ' if c in NOT_EMPTY else ""
            staging.check(name, c, f'{empty}"{c}" IS NOT NULL AND ({expression_of("date", c)}) IS NULL', what, do)
        elif c == "sessions":
            staging.check(
                name,
                c,
                f"{c} IS NOT NULL AND ({expression_of('integer', c)}) IS NULL",
                "the value is not a whole number",
                do,
            )
    if kind == "pupilonroll" and "entrydate" in have:
        late = f"({expression_of('date', 'entrydate')}) > DATE '{given.day + timedelta(days=MAX_LATE)}'"
        staging.check(name, "entrydate", late, "the child joined long after the day of the census", "Correct the rows.")
    term = term_dates(given.day.year - 1)[COVERED[given.term]]
    _report_values(staging, name, used, report)
    columns = ", ".join(f'"{c}"' if c in have else f"NULL::VARCHAR AS {c}" for c in KINDS[kind])
    return (
        f"SELECT {columns}, DATE '{given.day}' AS day, onroll_line AS line, '{given.number} ' || coalesce(\"{id_column}\", '') AS id, "
        f"{given.number} AS part, {kind == 'pupilnolongeronroll'} AS left_roll, "
        f"DATE '{term.start}' AS term_start, DATE '{term.end}' AS term_end FROM \"{name}\""
    )


def _report_values(staging: Staging, name: str, used: list[str], report: Report) -> None:
    """Say which rows end before they begin, and which hold what is no code."""
    for end, begin in ENDS.items():
        if {begin, end} <= set(used):
            test = f"({expression_of('date', end)}) < ({expression_of('date', begin)})"
            outcome = "the spell is left out" if end == "leavingdate" else "the end is left empty"
            staging.note(report, name, test, f"end before they begin; {outcome}")
    for c in used:
        if c in CODES:
            staging.note_codes(report, name, c, code_set(CODES[c]))
    for c, codes in (("senprovision", PROVISIONS), ("category", CATEGORIES)):
        if c in used:
            staging.note_codes(report, name, c, codes)
    if "attendancereason" in used:
        test = f"upper(attendancereason) NOT IN {literals(code_set('attendance'))}"
        staging.note(report, name, test, "have an unknown code and were left out")
    if "ethnicity" in used:
        known = literals([*code_set("ethnicity"), *extended_codes("ethnicity")])
        test = f"upper(left(ethnicity, 4)) NOT IN {known}"
        staging.note(report, name, test, "have in ethnicity what is no code of the set; it is left empty")


def _complain(
    staging: Staging,
    files: list[Path],
    censuses: set[str],
    *,
    seen: set[tuple[str, str]],
    parts: dict[str, list[str]],
    report: Report,
) -> None:
    do = "Name files like 2024_autumn_pupilonroll.csv: year, term and table of the census."
    if not censuses:
        staging.leave_out(files, Fault("no file is a table of the School Census", "import school-census", do))
    elif "roll" not in parts and not staging.faults:
        staging.leave_out(files, Fault("there is no pupilonroll table", "import school-census", do))
    staging.raise_faults(report)
    for census in sorted(censuses):
        expected = ("pupilonroll", "pupilnolongeronroll", "termlysessiondetails", "termlyexclusions")
        report.absent += [f"{census}: {k}" for k in expected if (census, k) not in seen]


def _people(staging: Staging, people: PupilKeys, report: Report) -> None:
    """Give children and homes their keys; children without a UPN get a temporary key until they are linked by name."""
    upn = clean_upn_sql("upn")
    nameless = staging.sql(
        f"SELECT part, id, forename, surname, ({expression_of('date', 'dob')}), sex FROM raw_roll WHERE ({upn}) IS NULL ORDER BY ALL"
    )
    keys = []
    for part, row, forename, surname, born, sex in nameless:
        if key := people.add_nameless(forename, surname, str(born), sex):
            keys.append((str(part), row, key))
    columns = [list(c) for c in zip(*keys, strict=True)] or [[], [], []]
    staging.give("nameless", dict(zip(("part", "id", "person"), columns, strict=True)))
    staging.sql(f"""
        CREATE OR REPLACE TABLE raw_roll AS SELECT r.* REPLACE (coalesce({clean_upn_sql("r.upn")}, n.person) AS upn)
        FROM raw_roll r LEFT JOIN nameless n ON n.part = r.part::VARCHAR AND n.id = r.id""")
    people.add("SELECT upn, formerupn AS former FROM raw_roll")
    homes = staging.sql(
        f"SELECT coalesce(uniquepropertyreferencenumber, '') || coalesce(postcode, ''), max({bare_sql('postcode')}) FROM raw_addresses GROUP BY 1"
    )
    add_keys(staging, "SELECT postcode FROM raw_addresses", people.key)
    homes = [(address, postcode) for address, postcode in homes if address]
    staging.give(
        "home",
        {
            "address": [address for address, _ in homes],
            "household_id": [pseudonym(f"home:{address}", people.key) for address, _ in homes],
            "postcode": [postcode for _, postcode in homes],
        },
    )
    for name in staging.columns:
        if "upn" in staging.columns[name]:
            people.report_missing(name, "upn", report, "they need linking")


def _notes(staging: Staging, people: PupilKeys, report: Report) -> None:
    for table in ("sessions", "termlyexclusions", "fsmperiod", "addresses", "senneeds"):
        lost = staging.sql(f"SELECT count(*) FROM raw_{table} WHERE id NOT IN (SELECT id FROM who)")[0][0]
        if lost:
            report.notes.append(f"{quantity(lost)} of {table} left out: no pupil matches")
    report.notes += [
        "schools: the phase is a guess from the year groups on roll; import a list of schools for the actual phase",
        "leavers have no reason and no destination in this return, so definitions that need one find no outcome in it",
    ]


def recognises(contents: Contents) -> bool:
    """Recognise the format by file name, such as 2024_autumn_pupilonroll, and key column."""
    if contents.root == school_census_xml.ROOT:
        census = contents.collection.upper() in school_census_xml.COLLECTIONS
        return census or "PupilsOnRoll" in contents.elements
    match = FILE.fullmatch(contents.stem)
    is_table = match is not None and any(match["table"].startswith(k) for k in KINDS)
    return is_table and any(h.endswith("tableid") for row in contents.rows for h in row)


RETURN = Return(
    name="school-census",
    title="the School Census: COLLECT's CSV export, files named like 2024_autumn_pupilonroll.csv, or XML, one school a file",
    fills=("pupils", "enrolments", "sen", "fsm", "addresses", "suspensions", "termly_attendance", "schools"),
    cannot_know=(
        "why a child left, and the destination",
        "daily marks",
        "when provision changed between two censuses",
        "the LSOA of a home",
        "social care, admissions and cases",
    ),
    verified=(
        "CSV: columns, files and dates of the export, from samples of an open-source pipeline",
        "XML: the elements of pupils, status, exclusions, needs and attendance, from two open-source exporters",
        "not verified: a whole XML file, its header but for the term, and the elements of meals and addresses",
        "values in XML are found by the headings of the CSV export, wherever they stand",
    ),
    convert=convert,
    recognises=recognises,
    suffixes=(*TABULAR, ".xml"),
    brings_names=True,
)
