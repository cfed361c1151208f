"""The Children in Need census (XML, 2017 to 2026): referrals, assessments, episodes of need, plans, and missing as a factor.

Source of the layout: the census's published schemas. ``GenderCurrent`` became ``Sex`` in 2025; both are read. Nothing in it
says when it was entered, so a row counts as recorded on its own date (``docs/histories.md``).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from histories.errors import Faults
from histories.returns.mapping import expression_of
from histories.returns.pupil_keys import PERSON
from histories.returns.xml import Node, leaf, read_units, under

if TYPE_CHECKING:
    from histories.returns.pupil_keys import People
    from histories.returns.reading import Report
    from histories.returns.staging import Staging

COLUMNS = ["upn", "former", "kind", "start_date", "end_date", "category", "end_reason"]
FACTOR_MISSING = "10A"


def rows_of(child: Node, line: int) -> tuple[str | None, list[tuple]]:
    """Return the UPN of a child (or the authority's own key, marked) and the rows of its episodes, as text."""
    identifiers = (under(child, "ChildIdentifiers") or [{}])[0]
    own = leaf(identifiers, "LAchildID")
    upn, former = leaf(identifiers, "UPN") or (f"{PERSON}{own}" if own else None), leaf(identifiers, "FormerUPN")
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


def convert(staging: Staging, people: People, files: list[Path], report: Report) -> None:
    """Fill ``out_social_care``."""
    rows: list[list[tuple]] = []
    for n, file in enumerate(files):
        kept: list[tuple] = []
        lost = [0]

        def take(child: Node, line: int, kept: list[tuple] = kept, lost: list[int] = lost) -> None:
            upn, found = rows_of(child, line)
            lost[0] += upn is None
            kept += found if upn else ()

        try:
            report.read[file.name], header = read_units(file, "Message", "Child", take)
        except Faults as found:
            staging.faults += found.faults
            continue
        year = header.get("Year", "not said")
        report.notes.append(f"{file.name}: collection {header.get('Collection', 'not said')} of {year}")
        if lost[0]:
            report.notes.append(f"{file.name}: {lost[0]} children without a UPN and without an LAchildID were left out")
        staging.rows(f"care_{n}", file, COLUMNS, kept)
        rows.append(kept)
        for c in ("start_date", "end_date"):
            what, do = "the value is not a date like 2024-09-04", "Correct it in the system that made the return."
            staging.check(f"care_{n}", c, f"{c} IS NOT NULL AND ({expression_of('date', c)}) IS NULL", what, do)
        people.add(f"SELECT upn, former FROM care_{n}")
    staging.raise_faults()
    parts = [f"SELECT * FROM care_{n}" for n in range(len(files))]
    staging.sql(
        f"CREATE TABLE out_social_care AS SELECT DISTINCT p.pupil_id, r.kind, ({expression_of('date', 'start_date')}) AS start_date, "
        f"({expression_of('date', 'end_date')}) AS end_date, r.category, r.end_reason "
        f"FROM ({' UNION ALL '.join(parts)}) r JOIN person p USING (upn)"
    )
