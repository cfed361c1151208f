"""The School Census as it lands in an authority: COLLECT's CSV export, one file a table and term.

Source of the layout: the export as pipelines of London authorities read it (School Census 2015 to 2026). Columns are read by
name. What a census says was recorded on census day, never on the day it happened. Attendance comes a term in arrears: the
spring census carries the autumn term, the summer census the spring term, the autumn census the summer term.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from histories.calendar import term_dates
from histories.codes import code_set
from histories.faults import Fault, Faults
from histories.identity import pseudonym
from histories.returns.reading import Report, Return

FILE = re.compile(r"(?P<year>20\d\d)_(?P<term>autumn|spring|summer)_(?P<table>[a-z0-9]+)")
Rows = list[dict[str, str]]
NEEDED = ("upn", "dob", "entrydate", "nativeid")
MONTHS = {"autumn": (10, 1, 3), "spring": (1, 3, 3), "summer": (5, 3, 3)}  # month, which, weekday: a Thursday
PROVISIONS = {"E": "E", "K": "K", "S": "E", "A": "K", "P": "K"}
EXCLUSIONS = {"PERM": "PERM", "SUSP": "SUSP", "FIXD": "SUSP", "LNCH": "SUSP"}


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


def convert(files: dict[str, Rows], key: bytes | None, report: Report) -> dict[str, list[dict[str, Any]]]:
    """Turn the files of one or more censuses into rows of histories.

    Raises
    ------
    Faults
        When no file is a census file, a column that everything hangs on is missing, or a date cannot be read.
    """
    censuses = _censuses(files, report)
    out: dict[str, list[dict[str, Any]]] = {t: [] for t in SCHOOL_CENSUS.fills}
    state = _State(key, report, out)
    for (year, term), tables in sorted(censuses.items(), key=lambda c: census_day(*c[0])):
        state.census(census_day(year, term), year, term, tables)
    state.finish()
    return out


def _censuses(files: dict[str, Rows], report: Report) -> dict[tuple[int, str], dict[str, Rows]]:
    found: dict[tuple[int, str], dict[str, Rows]] = {}
    for stem, rows in files.items():
        match = FILE.fullmatch(stem)
        if match is None:
            report.unused.append(f"{stem}: the name is not like 2024_autumn_pupilonroll.csv")
            continue
        found.setdefault((int(match["year"]), match["term"]), {})[match["table"]] = rows
    do = "Name files like 2024_autumn_pupilonroll.csv: year, term, table of the census."
    if not found:
        raise Faults(Fault("no file is a table of the School Census", "import school-census", do))
    faults = [
        Fault("the column is missing", f"{y}_{t}_{table}, column {c}", "Export the table with all its columns.")
        for (y, t), tables in found.items()
        for table in ("pupilonroll", "pupilnolongeronroll")
        for c in NEEDED
        if tables.get(table) and c not in tables[table][0]
    ]
    if not any(t.get("pupilonroll") for t in found.values()):
        faults.append(Fault("there is no pupilonroll table", "import school-census", do))
    if faults:
        raise Faults(faults)
    return found


class _State:
    """Builds spells across censuses: what an earlier census opened, a later one confirms, changes or closes."""

    def __init__(self, key: bytes | None, report: Report, out: dict[str, list[dict[str, Any]]]) -> None:
        self.key, self.report, self.out = key, report, out
        self.faults: list[Fault] = []
        self.pupils: dict[str, dict[str, Any]] = {}
        self.spells: dict[tuple[str, str, date], dict[str, Any]] = {}
        self.sen: dict[str, dict[str, Any]] = {}
        self.homes: dict[str, dict[str, Any]] = {}
        self.once: set[tuple[Any, ...]] = set()
        self.years: dict[str, list[int]] = {}

    def census(self, day: date, year: int, term: str, tables: dict[str, Rows]) -> None:
        """Take one census in."""
        who: dict[str, str] = {}
        for table, left in (("pupilonroll", False), ("pupilnolongeronroll", True)):
            for n, row in enumerate(tables.get(table, []), start=2):
                where = f"{year}_{term}_{table}, line {n}"
                pupil = self._pupil(row, where)
                if pupil is None:
                    continue
                who[row.get(f"{table}tableid", "")] = pupil
                self._spell(pupil, row, day, left, where)
                if not left and "senprovision" in row:
                    self._provision(pupil, row["senprovision"], day)
        for table, rows in tables.items():
            self._attached(table, rows, who, day, year, term)
        expected = {"pupilonroll", "pupilnolongeronroll", "termlysessiondetailsonroll", "termlyexclusionsonroll"}
        self.report.absent += [f"{year} {term}: {t}" for t in sorted(expected - set(tables))]

    def _attached(self, table: str, rows: Rows, who: dict[str, str], day: date, year: int, term: str) -> None:
        """Read a table whose rows hang on a pupil's row."""
        readers: dict[str, Callable[..., None]] = {
            "termlysessiondetails": self._sessions,
            "termlyexclusions": self._exclusion,
            "fsmperiod": self._meals,
            "addresses": self._address,
            "senneeds": self._need,
        }
        # The second half of the summer term (summerhalfterm2...) is in the autumn census's totals already.
        read = next((r for name, r in readers.items() if table.startswith(name)), None)
        if read is None:
            if table not in ("pupilonroll", "pupilnolongeronroll"):
                self.report.unused.append(f"{year}_{term}_{table}: {len(rows)} rows")
            return
        for n, row in enumerate(rows, start=2):
            pupil = who.get(row.get("pupilonrolltableid") or row.get("pupilnolongeronrolltableid") or "")
            if pupil is not None:
                read(pupil, row, day, f"{year}_{term}_{table}, line {n}", term)

    def _pupil(self, row: dict[str, str], where: str) -> str | None:
        upn, born = row["upn"].strip(), self._day(row["dob"], where, "dob")
        if not upn or born is None:
            if not upn:
                self.report.notes.append(f"{where}: no UPN; the row needs linking and was left out")
            return None
        pupil = pseudonym(upn, self.key)
        known = self.pupils.setdefault(pupil, {"pupil_id": pupil, "upn": upn, "date_of_birth": born})
        known["sex"] = row.get("sex") if row.get("sex") in code_set("sex") else known.get("sex")
        ethnicity = (row.get("ethnicity") or "")[:4]
        known["ethnicity"] = ethnicity if ethnicity in code_set("ethnicity") else known.get("ethnicity")
        known["first_language"] = (row.get("language") or "").lower() or known.get("first_language")
        if row.get("youngcarer"):
            known["young_carer"] = row["youngcarer"] in ("P", "S")
        return pupil

    def _spell(self, pupil: str, row: dict[str, str], day: date, left: bool, where: str) -> None:
        entry = self._day(row["entrydate"], where, "entrydate")
        leaving = self._day(row.get("leavingdate", ""), where, "leavingdate", optional=True) if left else None
        if entry is None:
            return
        urn = row["nativeid"].strip()
        year = row.get("ncyearactual") or row.get("ncyearleaving") or None
        if year and year.isdigit():
            self.years.setdefault(urn, []).append(int(year))
        spell = self.spells.setdefault((pupil, urn, entry), {
            "pupil_id": pupil, "urn": urn, "entry_date": entry, "nc_year": year if year in code_set("nc_year") else None, "recorded_on": max(day, entry),
        })  # fmt: skip
        if row.get("enrolstatus") in code_set("enrolment_status"):
            spell["status"] = row["enrolstatus"]
        if left and leaving is not None and leaving >= entry and "leaving_date" not in spell:
            spell["leaving_date"], spell["leaving_recorded_on"] = leaving, max(day, leaving)

    def _provision(self, pupil: str, code: str, day: date) -> None:
        now, open_spell = PROVISIONS.get(code), self.sen.get(pupil)
        if open_spell is not None and open_spell["provision"] != now:
            # The change lies between two censuses; the later day is the first on which it was known.
            self.out["sen"].append({**open_spell, "end_date": day})
            del self.sen[pupil]
        if now is not None and pupil not in self.sen:
            self.sen[pupil] = {"pupil_id": pupil, "start_date": day, "provision": now, "recorded_on": day}

    def _need(self, pupil: str, row: dict[str, str], day: date, where: str, term: str) -> None:
        if (
            row.get("sentype") in code_set("sen_need")
            and row.get("sentyperank", "").startswith("1")
            and pupil in self.sen
        ):
            self.sen[pupil]["primary_need"] = row["sentype"]

    def _sessions(self, pupil: str, row: dict[str, str], day: date, where: str, term: str) -> None:
        # In arrears: the autumn census carries the summer term, the spring census the autumn, the summer census the spring.
        first = day.year - 1
        covered = term_dates(first)[{"autumn": 2, "spring": 0, "summer": 1}[term]]
        sessions = self._number(row.get("sessions", ""), where)
        code = row.get("attendancereason", "")
        if sessions is None or code not in code_set("attendance") or not self._first("t", pupil, covered.start, code):
            return
        self.out["termly_attendance"].append({
            "pupil_id": pupil, "term_start": covered.start, "term_end": covered.end, "code": code, "sessions": sessions, "recorded_on": day,
        })  # fmt: skip

    def _exclusion(self, pupil: str, row: dict[str, str], day: date, where: str, term: str) -> None:
        start = self._day(row.get("startdate", ""), where, "startdate", optional=True)
        category = EXCLUSIONS.get(row.get("category", ""))
        if start is not None and category is not None and self._first("x", pupil, start, category):
            reason = row.get("reason1") if row.get("reason1") in code_set("suspension_reason") else None
            self.out["suspensions"].append({
                "pupil_id": pupil, "start_date": start, "category": category, "reason": reason,
                "sessions": self._number(row.get("sessions", ""), where), "recorded_on": max(day, start),
            })  # fmt: skip

    def _meals(self, pupil: str, row: dict[str, str], day: date, where: str, term: str) -> None:
        start = self._day(row.get("fsmstartdate", ""), where, "fsmstartdate", optional=True)
        end = self._day(row.get("fsmenddate", ""), where, "fsmenddate", optional=True)
        if start is not None and self._first("f", pupil, start):
            self.out["fsm"].append(
                {
                    "pupil_id": pupil,
                    "start_date": start,
                    "end_date": end if end and end >= start else None,
                    "recorded_on": max(day, start),
                }
            )

    def _address(self, pupil: str, row: dict[str, str], day: date, where: str, term: str) -> None:
        home = pseudonym("home:" + (row.get("uniquepropertyreferencenumber", "") + row.get("postcode", "")), self.key)
        now = self.homes.get(pupil)
        if now is not None and now["household_id"] != home and now["start_date"] < day:
            self.out["addresses"].append({**now, "end_date": day})
            now = None
        if now is None:
            self.homes[pupil] = {"pupil_id": pupil, "start_date": day, "household_id": home, "recorded_on": day}

    def finish(self) -> None:
        """Write what is still open, and the schools that the rolls name."""
        if self.faults:
            raise Faults(self.faults[:100])
        self.out["pupils"] = list(self.pupils.values())
        self.out["enrolments"] = list(self.spells.values())
        self.out["sen"] += list(self.sen.values())
        self.out["addresses"] += list(self.homes.values())
        for urn in sorted({s["urn"] for s in self.spells.values()}):
            years = sorted(self.years.get(urn, [0]))
            phase = "primary" if years[-1] < 7 else "secondary" if years[0] >= 7 else "all-through"
            self.out["schools"].append({"urn": urn, "phase": phase})
        self.report.notes.append(
            "schools: the phase is guessed from the year groups on roll; import a list of schools for the real one"
        )
        self.report.notes.append(
            "leavers carry no reason and no destination: definitions that need one find none in this return"
        )

    def _first(self, *key: Any) -> bool:
        if key in self.once:
            return False
        self.once.add(key)
        return True

    def _day(self, text: str, where: str, column: str, optional: bool = False) -> date | None:
        text = text.strip()
        if not text and optional:
            return None
        for form in ("%Y-%b-%d %H:%M:%S", "%Y-%m-%d"):
            try:
                return datetime.strptime(text, form).date()
            except ValueError:
                continue
        self.faults.append(
            Fault(
                "the value is not a date like 2024-Sep-04 00:00:00",
                f"{where}, column {column}",
                "Correct the row, or export again.",
            )
        )
        return None

    def _number(self, text: str, where: str) -> int | None:
        try:
            return int(float(text)) if text.strip() else None
        except (ValueError, OverflowError):
            self.faults.append(
                Fault("the value is not a number", f"{where}, column sessions", "Correct the row, or export again.")
            )
            return None


SCHOOL_CENSUS = Return(
    "school-census", "COLLECT's CSV export of the School Census, all terms, files named like 2024_autumn_pupilonroll.csv",
    ("pupils", "enrolments", "sen", "fsm", "addresses", "suspensions", "termly_attendance", "schools"),
    ("why a child left and where to", "daily marks", "when provision changed between two censuses", "the LSOA of a home", "social care, admissions and cases"),
    convert,
)  # fmt: skip
