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
from histories.returns.files.row_buffer import RowBuffer
from histories.returns.files.xml import Node, leaf, read_units, under
from histories.returns.mapping import expression_of
from histories.returns.pupil_keys import PERSON
from histories.returns.report import Contents, Report, Return

if TYPE_CHECKING:
    from histories.returns.files.staging import Staging
    from histories.returns.pupil_keys import PupilKeys

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
        if start or kind == "referral":  # a case without a referral date is reported by line
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
        children = RowBuffer(staging, f"children_{n}", file, ["upn", "person", "lachildid"])
        care = RowBuffer(staging, f"care_{n}", file, COLUMNS)

        def take(child: Node, line: int, children: RowBuffer = children, care: RowBuffer = care) -> None:
            upn, episodes = rows_of(child, line)
            own = leaf((under(child, "ChildIdentifiers") or [{}])[0], "LAchildID")
            children.add(line, None if (upn or PERSON).startswith(PERSON) else upn, upn, own)
            for row in episodes if upn else ():
                care.add(*row)

        try:
            report.read[file.name], headers[n] = read_units(file, "Message", {"Child": take})
        except Faults as faults:
            staging.faults += faults.faults
            continue
        children.flush()
        care.flush()
        year = headers[n].get("Year", "not stated")
        report.notes.append(f"{file.name}: collection {headers[n].get('Collection', 'not stated')} of {year}")
        staging.note(report, children.name, "upn IS NULL AND person IS NOT NULL", "have no UPN; link them by LAchildID")
        staging.note(report, children.name, "person IS NULL", "have no UPN and no LAchildID and were left out")
        people.report_shared(children.name, "upn", "lachildid", report)
        _check(staging, care.name, report)
        people.add(f"SELECT upn, former FROM care_{n} UNION SELECT upn, NULL FROM children_{n}")
    staging.raise_faults()
    for n, header in headers.items():
        period, day = period_of(header)
        if period is None:
            what = "states no year as a number: it corrects no other return"
            report.notes.append(f"{files[n].name}: the header {what}")
        sender = header.get("LEA", "") if period else ""
        listed_children = f"SELECT DISTINCT p.pupil_id FROM children_{n} c JOIN person p USING (upn)"
        stated = staging.add_return(period, [files[n]], return_date=day, sender=sender, children=listed_children)
        stated.tables["social_care"] = f"""
            SELECT DISTINCT p.pupil_id, r.kind, ({expression_of("date", "start_date")}) AS start_date, ({expression_of("date", "end_date")}) AS end_date,
                r.category, r.end_reason FROM care_{n} r JOIN person p USING (upn) WHERE r.start_date IS NOT NULL"""


def _check(staging: Staging, table: str, report: Report) -> None:
    """Keep a fault for each value that is no date; report cases without a beginning, and ends before it."""
    for c in ("start_date", "end_date"):
        what, do = "the value is not a date like 2024-09-04", "Correct it in the source system and export again."
        staging.check(table, c, f"{c} IS NOT NULL AND ({expression_of('date', c)}) IS NULL", what, do)
    staging.note(report, table, "start_date IS NULL", "have no referral date; the referral was left out")
    early = f"({expression_of('date', 'end_date')}) < ({expression_of('date', 'start_date')})"
    staging.note(report, table, early, "end before they begin")


def period_of(header: dict[str, str]) -> tuple[str | None, date | None]:
    """Return the period of a census and its date: when the file was written, else the reference date, else 31 March of the year."""
    year = header.get("Year", "")
    period = year if year.isdigit() else None
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
