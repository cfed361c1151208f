"""Annex A, the lists of children that an authority gives to inspectors: a workbook with a sheet for each list.

Source of the layout: the published schema and the made-up workbook of an open-source pipeline. Headings vary between
authorities, so that a column is known by a pattern. The lists hold no UPN; a column that an authority adds is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from histories.calendar import london_today
from histories.codes import code_set, extended_codes
from histories.errors import Fault, Faults
from histories.identity import clean_upn_sql
from histories.io.delimited import heading
from histories.io.sql import literals
from histories.io.workbook import first_rows, is_workbook
from histories.returns.mapping import expression_of
from histories.returns.pupil_keys import PERSON
from histories.returns.report import Contents, Report, Return

if TYPE_CHECKING:
    from histories.returns.files.staging import Staging
    from histories.returns.pupil_keys import PupilKeys

CHILD = r"child_unique_id|child.*_(id|identifier)|unique_(id|identifier).*child"
UPN = r"(pupil_)?upn|unique_pupil_number"
BORN, SEX, ETHNICITY = r"date_of_birth|dob", r"sex|gender", r"ethnicity"


@dataclass(frozen=True, kw_only=True)
class CareList:
    """One list that is read.

    Attributes
    ----------
    title, kind : str
        What the list is of, and the kind of episode.
    begin, end : str
        Patterns of the headings of the first and the last day. Without an ``end`` the episode is one day.
    category, why : str
        Patterns of the category and of the reason for the end.
    ends_at_begin : bool
        Whether an episode without a last day ended on its first.
    constant : str
        The category, where no column says it.
    """

    title: str
    kind: str
    begin: str
    end: str = ""
    category: str = ""
    why: str = ""
    ends_at_begin: bool = False
    constant: str = ""


LISTS = (
    CareList(
        title="list 2, early help assessments",
        kind="early_help",
        begin=r"assessment_start_date",
        end=r"assessment_completion_date",
    ),
    CareList(title="list 3, referrals", kind="referral", begin=r"date_of_referral", ends_at_begin=True),
    CareList(
        title="list 4, assessments",
        kind="assessment",
        begin=r"continuous_assessment_start_date",
        end=r"continuous_assessment_date_of_authorisation",
    ),
    CareList(
        title="list 5, section 47 enquiries",
        kind="assessment",
        begin=r"strategy_discussion.*start_date",
        end=r"date_of_initial_child_protection_conference",
        ends_at_begin=True,
        constant="section 47",
    ),
    CareList(
        title="list 6, children in need",
        kind="cin",
        begin=r"cin_start_date",
        end=r"cin_closure_date",
        category=r"primary_need_code",
        why=r"reason_for_closure",
    ),
    CareList(
        title="list 7, child protection plans",
        kind="cpp",
        begin=r"child_protection_plan_start_date",
        end=r"child_protection_plan_end_date",
        category=r"latest_category_of_abuse|initial_category_of_abuse",
    ),
    CareList(
        title="list 8, looked-after children",
        kind="cla",
        begin=r"date_started_to_be_looked_after",
        end=r"date_ceased_to_be_looked_after",
        category=r"child's_category_of_need|category_of_need",
        why=r"reason_ceased_to_be_looked_after",
    ),
)
# Of the lists that are not read, a heading by which each is known.
OTHERS = {
    "list 1, contacts": r"date_of_contact",
    "list 9, care leavers": r"latest_pathway_plan_review_date",
    "list 10, adoption": r"date_of_decision_that_child_should_be_placed.*",
    "list 11, adopters": r"individual_adopter_identifier",
}
# Words of the lists and the codes that the CIN census has for them, so that both say the same of one plan.
ABUSE = {"multiple": "MUL", "neglect": "NEG", "physical": "PHY", "sexual": "SAB", "emotional": "EMO"}
NEED = r"^(?:[a-z]\) *)?(N[0-9])\b"
SEXES = {"M": r"^(a\) *)?(m|male|1 - male)$", "F": r"^(b\) *)?(f|female|2 - female)$"}
MAIN_CODE = r"(?:^|[) ])([A-Z]{4})(?:$|[ :-])"


def column_of(pattern: str, headings: list[str] | frozenset[str]) -> str | None:
    """Return the first heading that a pattern describes whole, or None; of alternatives the first that is there."""
    for part in pattern.split("|") if "(" not in pattern else [pattern]:
        if match := next((h for h in sorted(headings) if re.fullmatch(part, h)), None):
            return match
    return None


def list_of(headings: list[str] | frozenset[str]) -> CareList | None:
    """Return the list that has these headings, if it is one that is read."""
    if column_of(CHILD, headings) is None:
        return None
    return next((one for one in LISTS if column_of(one.begin, headings)), None)


def other_list_of(headings: list[str] | frozenset[str]) -> str | None:
    """Return the title of a list of Annex A that is not read, or None."""
    return next((title for title, sign in OTHERS.items() if column_of(sign, headings)), None)


def convert(staging: Staging, people: PupilKeys, files: list[Path], report: Report) -> None:
    """State the episodes of every list, file by file."""
    staged: dict[Path, list[tuple[CareList, str]]] = {}
    for n, file in enumerate(files):
        for sheet, headings in enumerate(_headers(staging, file)):
            one = list_of(headings)
            if one is None:
                title = other_list_of(headings) or f"sheet {sheet + 1}"
                report.unused.append(f"{file.name}: {title} is not read")
                continue
            table = f"annex_{n}_{sheet}"
            days = [c for p in (one.begin, one.end, BORN) if p and (c := column_of(p, headings))]
            which = sheet if is_workbook(file) else None
            report.read[f"{file.name}, {one.title}"] = staging.csv(table, file, headings, days, sheet=which)
            if table in staging.columns:
                _check(staging, people, one, table, report)
                staged.setdefault(file, []).append((one, table))
    if not staged:
        do = "Head the lists as Annex A does, such as Child Unique ID and CIN Start Date."
        listed = ", ".join(map(str, files))
        staging.leave_out(files, Fault("no sheet is a list of Annex A that is read", listed, do))
    staging.raise_faults()
    for file, tables in staged.items():
        day = max(filter(None, (_newest(staging, one, table) for one, table in tables)), default=None)
        stated = staging.add_return(None, [file], return_date=day)
        stated.tables["social_care"] = " UNION ".join(_episodes(staging, one, table) for one, table in tables)
        if pupils := [q for _, table in tables if (q := _pupils(staging, table))]:
            stated.tables["pupils"] = f"""
                SELECT DISTINCT pupil_id, pupil_id AS upn_key, date_of_birth, sex, ethnicity
                FROM ({" UNION ALL ".join(pupils)}) WHERE date_of_birth IS NOT NULL"""


def _headers(staging: Staging, file: Path) -> list[frozenset[str]]:
    """Return the header of each sheet, or of the one table of a text file."""
    from histories.returns.files.text_table import first_text_rows

    try:
        sheets = first_rows(file) if is_workbook(file) else [first_text_rows(file, staging.scratch)]
    except Faults as unreadable:
        staging.faults += unreadable.faults
        return []
    headers = []
    for rows in sheets:
        rows_of_headings = [frozenset(heading(cell) for cell in row if cell.strip()) for row in rows]
        known = (row for row in rows_of_headings if list_of(row) or other_list_of(row))
        headers.append(next(known, frozenset()))
    return headers


def _check(staging: Staging, people: PupilKeys, one: CareList, table: str, report: Report) -> None:
    have = staging.columns[table]
    begin, end = column_of(one.begin, have), column_of(one.end, have) if one.end else None
    what, do = "the value is not a date like 04/09/2024", "Correct it in the case system, and export again."
    for c in filter(None, (begin, end, column_of(BORN, have))):
        staging.check(table, c, f'"{c}" IS NOT NULL AND ({expression_of("date", _name(c))}) IS NULL', what, do)
    staging.note(report, table, f'"{begin}" IS NULL', "have no first day and were left out")
    if end and begin:
        early = f"({expression_of('date', _name(end))}) < ({expression_of('date', _name(begin))})"
        staging.note(report, table, early, "end before they begin")
    people.add(f'SELECT {_who(staging, table)} AS upn, NULL AS former FROM "{table}"')
    staging.note(report, table, f"({_who(staging, table)}) IS NULL", "have no Child Unique ID and were left out")
    if upn := column_of(UPN, have):
        people.report_missing(table, upn, report, "link them by Child Unique ID")
        people.report_shared(table, upn, str(column_of(CHILD, have)), report)
    else:
        staging.note(report, table, "true", "have no UPN; link them by Child Unique ID")


def _name(column: str) -> str:
    return f'"{column}"'


def _who(staging: Staging, table: str, prefix: str = "") -> str:
    """Return the expression of the child: the UPN where there is one, else the authority's own key."""
    have = staging.columns[table]
    child, upn = column_of(CHILD, have), column_of(UPN, have)
    clean = clean_upn_sql(f'{prefix}"{upn}"') if upn else "NULL"
    return f"""coalesce({clean}, '{PERSON}' || {prefix}"{child}")"""


def _episodes(staging: Staging, one: CareList, table: str) -> str:
    have = staging.columns[table]
    day = {}
    for name, pattern in (("begin", one.begin), ("end", one.end)):
        column = column_of(pattern, have) if pattern else None
        day[name] = f"({expression_of('date', 'r.' + _name(column))})" if column else "NULL::DATE"
    end = f"coalesce({day['end']}, {day['begin']})" if one.ends_at_begin else day["end"]
    category, why = (column_of(p, have) if p else None for p in (one.category, one.why))
    text = f"'{one.constant}'" if one.constant else "NULL"
    if category:
        text = f'r."{category}"'
        if one.kind == "cpp":
            words = "".join(f" WHEN {text} ILIKE '%{word}%' THEN '{code}'" for word, code in ABUSE.items())
            text = f"CASE{words} ELSE {text} END"
        else:
            text = f"coalesce(nullif(upper(regexp_extract({text}, '{NEED}', 1, 'i')), ''), {text})"
    reason = f'r."{why}"' if why else "NULL"
    return f"""
        SELECT p.pupil_id, '{one.kind}' AS kind, {day["begin"]} AS start_date, {end} AS end_date, {text} AS category,
            CASE WHEN {end} IS NOT NULL THEN {reason} END AS end_reason
        FROM "{table}" r JOIN person p ON p.upn = {_who(staging, table, "r.")} WHERE {day["begin"]} IS NOT NULL"""


def _pupils(staging: Staging, table: str) -> str | None:
    """Return the query of the children with a UPN, where a list holds UPNs and dates of birth."""
    have = staging.columns[table]
    upn, born, sex, ethnicity = (column_of(p, have) for p in (UPN, BORN, SEX, ETHNICITY))
    if not upn or not born:
        return None
    known = literals([*code_set("ethnicity"), *extended_codes("ethnicity")])
    sexes = "".join(
        f" WHEN regexp_matches(lower(r.\"{sex}\"), '{pattern}') THEN '{code}'" for code, pattern in SEXES.items()
    )
    main = f"regexp_extract(upper(r.\"{ethnicity}\"), '{MAIN_CODE}', 1)"
    return f"""
        SELECT p.pupil_id, ({expression_of("date", f'r."{born}"')}) AS date_of_birth, {f"CASE{sexes} END" if sex else "NULL::VARCHAR"} AS sex,
            {f"CASE WHEN {main} IN {known} THEN {main} END" if ethnicity else "NULL::VARCHAR"} AS ethnicity
        FROM "{table}" r JOIN person p ON p.upn = {clean_upn_sql(f'r."{upn}"')}"""


def _newest(staging: Staging, one: CareList, table: str) -> date | None:
    """Return the newest day of a list that is not after today: the lists were made then or later."""
    have = staging.columns[table]
    columns = [c for p in (one.begin, one.end) if p and (c := column_of(p, have))]
    days = " UNION ALL ".join(f'SELECT {expression_of("date", _name(c))} AS d FROM "{table}"' for c in columns)
    newest: date | None = staging.sql(f"SELECT max(d) FILTER (d <= DATE '{london_today()}') FROM ({days})")[0][0]
    return newest


def recognises(contents: Contents) -> bool:
    """Recognise the format by the headings of a list."""
    return any(list_of(row) or other_list_of(row) for row in contents.rows)


RETURN = Return(
    name="annex-a",
    title="Annex A, Ofsted's child-level data: a workbook with a sheet for each list, or CSV files of lists",
    fills=("social_care", "pupils"),
    cannot_know=(
        "the UPN, unless the authority adds the column: children wait to be linked by their Child Unique ID (`onroll import --link`); "
        "lists in which no child has a UPN or a link are refused, and `onroll import auto` leaves them out",
        "when a row was entered: it counts as recorded on the newest day in the lists",
        "contacts, single missing episodes, care leavers and adoption: those lists are not read",
        "an episode of early help beyond its assessment",
    ),
    verified=(
        "headings, kinds of values and sheets: the schema and a made-up workbook of an open-source pipeline",
        "not verified: a column with the UPN, which the published lists do not have",
    ),
    convert=convert,
    recognises=recognises,
)
