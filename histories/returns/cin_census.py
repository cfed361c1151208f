"""The Children in Need census (XML, 2017 to 2026): referrals, assessments, episodes of need, plans, and missing as a factor.

Source of the layout: the census's published schemas. ``GenderCurrent`` became ``Sex`` in 2025; both are read. Nothing in it
says when a row was entered, so every row counts as recorded on the date of the census.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from histories.errors import Faults
from histories.identity import clean_upn
from histories.returns.mapping import expression_of
from histories.returns.pupil_keys import PERSON
from histories.returns.report import Contents, Report, Return
from histories.returns.xml import Node, leaf, read_units, under

if TYPE_CHECKING:
    from histories.returns.pupil_keys import PupilKeys
    from histories.returns.staging import Staging

COLUMNS = ["upn", "former", "kind", "start_date", "end_date", "category", "end_reason"]
FACTOR_MISSING = "10A"


def rows_of(child: Node, line: int) -> tuple[str | None, list[tuple]]:
    """Return the UPN of a child (or the authority's key, with a prefix) and the rows of the child's episodes, as text."""
    identifiers = (under(child, "ChildIdentifiers") or [{}])[0]
    child_id = leaf(identifiers, "LAchildID")
    upn = clean_upn(leaf(identifiers, "UPN")) or (f"{PERSON}{child_id}" if child_id else None)
    former = leaf(identifiers, "FormerUPN")
    rows: list[tuple] = []

    def add(
        kind: str, start: str | None, end: str | None = None, category: str | None = None, why: str | None = None
    ) -> None:
        if start:
            rows.append((line, upn, former, kind, start, end, category, why))

    for episode in under(child, "CINdetails"):
        referral, need = leaf(episode, "CINreferralDate"), leaf(episode, "PrimaryNeedCode")
        closed, why = leaf(episode, "CINclosureDate"), leaf(episode, "ReasonForClosure")
        add("referral", referral, referral, need)
        if leaf(episode, "ReferralNFA") not in ("1", "true"):
            add("cin", referral, closed, need, why)
        for assessment in under(episode, "Assessments"):
            begun, done = leaf(assessment, "AssessmentActualStartDate"), leaf(assessment, "AssessmentAuthorisationDate")
            add("assessment", begun, done)
            factors = [
                f for n in under(assessment, "FactorsIdentifiedAtAssessment") for f in n.get("AssessmentFactors", ())
            ]
            if FACTOR_MISSING in factors:
                add("missing", done or begun, done or begun, FACTOR_MISSING)
        for inquiry in under(episode, "Section47"):
            started = leaf(inquiry, "S47ActualStartDate")
            add("assessment", started, leaf(inquiry, "DateOfInitialCPC") or started, "section 47")
        for plan in under(episode, "ChildProtectionPlans"):
            abuse = leaf(plan, "LatestCategoryOfAbuse") or leaf(plan, "InitialCategoryOfAbuse")
            add("cpp", leaf(plan, "CPPstartDate"), leaf(plan, "CPPendDate"), abuse)
    return upn, rows


def convert(staging: Staging, people: PupilKeys, files: list[Path], report: Report) -> None:
    """State the episodes of each file."""
    headers: dict[int, dict[str, str]] = {}
    for n, file in enumerate(files):
        rows: list[tuple] = []
        without_id = [0]

        def take(child: Node, line: int, rows: list[tuple] = rows, without_id: list[int] = without_id) -> None:
            upn, episodes = rows_of(child, line)
            without_id[0] += upn is None
            rows += episodes if upn else ()

        try:
            report.read[file.name], headers[n] = read_units(file, "Message", {"Child": take})
        except Faults as faults:
            staging.faults += faults.faults
            continue
        year = headers[n].get("Year", "not stated")
        report.notes.append(f"{file.name}: collection {headers[n].get('Collection', 'not stated')} of {year}")
        if without_id[0]:
            report.notes.append(
                f"{file.name}: {without_id[0]} children without a UPN and without an LAchildID were left out"
            )
        staging.rows(f"care_{n}", file, COLUMNS, rows)
        for c in ("start_date", "end_date"):
            what, do = "the value is not a date like 2024-09-04", "Correct it in the source system and export again."
            staging.check(f"care_{n}", c, f"{c} IS NOT NULL AND ({expression_of('date', c)}) IS NULL", what, do)
        people.add(f"SELECT upn, former FROM care_{n}")
    staging.raise_faults()
    for n, header in headers.items():
        period, day = period_of(header)
        stated = staging.add_return(period, [files[n]], return_date=day)
        stated.tables["social_care"] = f"""
            SELECT DISTINCT p.pupil_id, r.kind, ({expression_of("date", "start_date")}) AS start_date, ({expression_of("date", "end_date")}) AS end_date,
                r.category, r.end_reason FROM care_{n} r JOIN person p USING (upn)"""


def period_of(header: dict[str, str]) -> tuple[str | None, date | None]:
    """Return the period of a census and its date: when the file was written, else the reference date, else 31 March of the year."""
    year = header.get("Year", "")
    authority = header.get("LEA", "")
    period = f"{year} {authority}".strip() if year.isdigit() else None
    for name in ("DateTime", "ReferenceDate"):
        try:
            return period, date.fromisoformat(header.get(name, "")[:10])
        except ValueError:
            continue
    return period, date(int(year), 3, 31) if year.isdigit() and len(year) == 4 else None


def recognises(contents: Contents) -> bool:
    """Recognise the format by root element and collection."""
    return contents.root == "Message" and contents.collection.upper() == "CIN"


RETURN = Return(
    name="cin-census",
    title="the Children in Need census, XML of 2017 to 2026",
    fills=("social_care",),
    cannot_know=(
        "when a row was entered: it counts as recorded on the date of the census",
        "children without a UPN (they need linking)",
        "early help",
    ),
    convert=convert,
    recognises=recognises,
    suffixes=(".xml",),
)
