"""The School Census as authorities receive it: COLLECT's CSV export, one file per table and term.

Source of the layout: the export as read by pipelines of London authorities (School Census 2015 to 2026). Columns are read by
name. All rows count as recorded on census day, not on the day they happened. Attendance is a term in arrears: the spring census
has the autumn term, the summer census the spring term, the autumn census both halves of the summer term.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from histories.calendar import term_dates
from histories.codes import code_set, extended_codes
from histories.errors import Fault
from histories.identity import clean_upn_sql, pseudonym
from histories.io.sql import literals
from histories.returns.mapping import expression_of
from histories.returns.postcodes import add_keys, bare_sql
from histories.returns.pupil_keys import PERSON
from histories.returns.report import Contents, Report, Return

if TYPE_CHECKING:
    from histories.returns.pupil_keys import PupilKeys
    from histories.returns.staging import Staging

FILE = re.compile(r"(?P<year>20\d\d)_(?P<term>autumn|spring|summer)_(?P<table>[a-z0-9]+)")
MONTHS = {"autumn": (10, 1, 3), "spring": (1, 3, 3), "summer": (5, 3, 3)}  # month, which, weekday: a Thursday
COVERED = {"autumn": 2, "spring": 0, "summer": 1}  # index of the term that a census's attendance covers
SQL = Path(__file__).with_name("school_census.sql")
NEEDED = ("upn", "dob", "entrydate", "nativeid")
# Columns to read, by the beginning of the file name.
ROLL = (
    "upn",
    "formerupn",
    "nativeid",
    "dob",
    "sex",
    "ethnicity",
    "language",
    "youngcarer",
    "entrydate",
    "leavingdate",
    "enrolstatus",
    "ncyearactual",
    "ncyearleaving",
    "senprovision",
    "surname",
    "forename",
)
KINDS: dict[str, tuple[str, ...]] = {
    "pupilonroll": ROLL,
    "pupilnolongeronroll": ROLL,
    "termlysessiondetails": ("attendancereason", "sessions"),
    "summerhalfterm2sessiondetails": ("attendancereason", "sessions"),
    "termlyexclusions": ("startdate", "category", "sessions", "reason1", "nativeid"),
    "fsmperiod": ("fsmstartdate", "fsmenddate"),
    "addresses": ("uniquepropertyreferencenumber", "postcode"),
    "senneeds": ("sentyperank", "sentype"),
}
PUT = {
    "pupilonroll": "roll",
    "pupilnolongeronroll": "roll",
    "termlysessiondetails": "sessions",
    "summerhalfterm2sessiondetails": "sessions",
}
# The statements of a census, and the kind of file with each.
STATED = {
    "pupils": "roll",
    "enrolments": "roll",
    "sen_states": "roll",
    "suspensions": "termlyexclusions",
    "fsm": "fsmperiod",
    "termly_attendance": "sessions",
    "address_states": "addresses",
}
DAYS = ("dob", "entrydate", "leavingdate", "startdate", "fsmstartdate", "fsmenddate")
NOT_EMPTY = ("dob", "entrydate")
ENDS = {"leavingdate": "entrydate", "fsmenddate": "fsmstartdate"}
PROVISIONS = ("N", "K", "E", "S", "A", "P")  # the last three until 2015
CATEGORIES = ("PERM", "SUSP", "FIXD", "LNCH")  # FIXD until 2023
CODES = {
    "sex": "sex",
    "enrolstatus": "enrolment_status",
    "ncyearactual": "nc_year",
    "ncyearleaving": "nc_year",
    "reason1": "suspension_reason",
    "sentype": "sen_need",
}


@dataclass(kw_only=True)
class CensusFiles:
    """The files of one submission of one census."""

    number: int
    term: str
    day: date
    files: list[Path] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)


def census_day(year: int, term: str) -> date:
    """Return the day of a census: the first Thursday of October, the third of January and of May.

    Examples
    --------
    >>> census_day(2024, "autumn").isoformat(), census_day(2025, "spring").isoformat()
    ('2024-10-03', '2025-01-16')
    """
    month, which, weekday = MONTHS[term]
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (which - 1))


def convert(staging: Staging, people: PupilKeys, files: list[Path], report: Report) -> None:
    """State the rows of each census, from the files of one or more."""
    parts: dict[str, list[str]] = {}
    seen: set[tuple[str, str]] = set()
    censuses: dict[str, dict[Path, list[str]]] = {}
    sorted_files = []
    for file in files:
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
    _complain(staging, set(censuses), seen, parts, report)
    for kind, columns in KINDS.items():
        put = PUT.get(kind, kind)
        empty = "SELECT " + ", ".join(f"NULL::VARCHAR AS {c}" for c in columns)
        empty += (
            ", NULL::DATE AS day, NULL::BIGINT AS line, NULL::VARCHAR AS id, NULL::INTEGER AS part, false AS left_roll, "
            "NULL::DATE AS term_start, NULL::DATE AS term_end WHERE false"
        )
        staging.sql(f"CREATE OR REPLACE TABLE raw_{put} AS " + " UNION ALL BY NAME ".join(parts.get(put) or [empty]))
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
        stated = staging.add_return(census, given.files, return_date=given.day)
        for table, kind in STATED.items():
            if kind in given.kinds:
                stated.tables[table] = f"SELECT * EXCLUDE (part) FROM stated_{table} WHERE part = {given.number}"
    _notes(staging, people, report)


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
    staging: Staging, censuses: set[str], seen: set[tuple[str, str]], parts: dict[str, list[str]], report: Report
) -> None:
    do = "Name files like 2024_autumn_pupilonroll.csv: year, term and table of the census."
    if not censuses:
        staging.faults.append(Fault("no file is a table of the School Census", "import school-census", do))
    elif "roll" not in parts and not staging.faults:
        staging.faults.append(Fault("there is no pupilonroll table", "import school-census", do))
    staging.raise_faults()
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
        if not forename or not surname:
            continue
        person = pseudonym("|".join(map(str, (forename.upper(), surname.upper(), born))), people.key)
        keys.append((str(part), row, f"{PERSON}{person}"))
        people.to_link[person] = {
            "person_id": person,
            "forename": forename,
            "surname": surname,
            "dob": str(born),
            "sex": sex or "",
        }
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
            report.notes.append(f"{lost} rows of {table} match no pupil and were left out")
    report.notes += [
        "schools: the phase is a guess from the year groups on roll; import a list of schools for the actual phase",
        "leavers have no reason and no destination in this return, so definitions that need one find no outcome in it",
    ]


def recognises(contents: Contents) -> bool:
    """Recognise the format by file name, such as 2024_autumn_pupilonroll, and key column."""
    match = FILE.fullmatch(contents.stem)
    is_table = match is not None and any(match["table"].startswith(k) for k in KINDS)
    return is_table and any(h.endswith("tableid") for row in contents.rows for h in row)


RETURN = Return(
    name="school-census",
    title="COLLECT's CSV export of the School Census, one or more terms, files named like 2024_autumn_pupilonroll.csv",
    fills=("pupils", "enrolments", "sen", "fsm", "addresses", "suspensions", "termly_attendance", "schools"),
    cannot_know=(
        "why a child left, and the destination",
        "daily marks",
        "when provision changed between two censuses",
        "the LSOA of a home",
        "social care, admissions and cases",
    ),
    convert=convert,
    recognises=recognises,
)
