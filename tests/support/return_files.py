"""Write simulated histories in the layouts of real returns, so that imported histories can be compared with the originals."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from histories.calendar import term_dates
from histories.returns.formats.school_census import COVERED, census_day


def opened(histories: Path) -> duckdb.DuckDBPyConnection:
    """Open a folder of Parquet as views."""
    connection = duckdb.connect()
    for file in histories.glob("*.parquet"):
        connection.execute(f"CREATE VIEW {file.stem} AS FROM read_parquet('{file}')")
    return connection


def censuses(first: int, last: int) -> list[tuple[int, str]]:
    """Return the censuses from the autumn of one year to the summer of another, in order."""
    names = [(y, t) for y in range(first, last + 1) for t in ("spring", "summer", "autumn")]
    return [c for c in names if census_day(first, "autumn") <= census_day(*c) <= census_day(last, "summer")]


def write_school_census(histories: Path, folder: Path, years: tuple[int, int]) -> list[tuple[int, str]]:
    """Write every census between two autumns as COLLECT exports it."""
    folder.mkdir(parents=True)
    con = opened(histories)
    con.execute("""
        CREATE TABLE final_marks AS SELECT pupil_id, "date", session, arg_max(code::VARCHAR, recorded_on) AS code FROM attendance GROUP BY ALL""")
    before = date(1990, 1, 1)
    files = censuses(*years)
    for year, term in files:
        day = census_day(year, term)
        covered = term_dates(day.year - 1)[COVERED[term]]
        stem = folder / f"{year}_{term}_"

        def put(table: str, query: str, stem: Path = stem) -> None:
            con.execute(f"COPY ({query}) TO '{stem}{table}.csv' (HEADER, DELIMITER ',')")

        def text(c):
            return f"strftime({c}, '%Y-%b-%d 00:00:00')"

        con.execute(f"""CREATE OR REPLACE TEMP TABLE roll AS
            SELECT row_number() OVER (ORDER BY e.pupil_id, e.entry_date)::VARCHAR AS id, e.*, p.* EXCLUDE (pupil_id), e.leaving_date <= DATE '{day}' AS gone,
                CASE e.nc_year WHEN 'R' THEN 0 ELSE e.nc_year::INT END + {day.year if day.month >= 9 else day.year - 1}
                    - (year(e.entry_date) - (month(e.entry_date) < 9)::INT) AS y
            FROM enrolments e JOIN pupils p USING (pupil_id)
            WHERE p.upn IS NOT NULL AND e.entry_date <= DATE '{day}' AND (e.leaving_date IS NULL OR e.leaving_date > least(DATE '{before}', DATE '{covered.start}' - 1))""")
        provision = f"""coalesce((SELECT max(provision) FILTER (provision = 'E') FROM sen s WHERE s.pupil_id = roll.pupil_id AND s.start_date <= DATE '{day}' AND coalesce(s.end_date, DATE '2999-01-01') > DATE '{day}'),
            (SELECT max(provision) FROM sen s WHERE s.pupil_id = roll.pupil_id AND s.start_date <= DATE '{day}' AND coalesce(s.end_date, DATE '2999-01-01') > DATE '{day}'), 'N')"""
        common = f"urn AS \"NativeId\", {text('date_of_birth')} AS dob, 'SUR' AS surname, upn, NULL AS formerupn, sex, {text('entry_date')} AS entrydate"
        put(
            "pupilonroll",
            f"""SELECT id AS pupilonrolltableid, {common}, upper(ethnicity) AS ethnicity, upper(first_language) AS language, 'C' AS enrolstatus,
            CASE WHEN y = 0 THEN 'R' ELSE y::VARCHAR END AS ncyearactual, {provision} AS senprovision FROM roll WHERE NOT coalesce(gone, false)""",
        )
        put(
            "pupilnolongeronroll",
            f"SELECT id AS pupilnolongeronrolltableid, {common}, {text('leaving_date')} AS leavingdate FROM roll WHERE gone",
        )
        put(
            "fsmperiod",
            f"""SELECT r.id AS pupilonrolltableid, {text("f.start_date")} AS fsmstartdate, NULL AS fsmenddate, 'ENG' AS ukcountry
            FROM roll r JOIN fsm f USING (pupil_id) WHERE NOT coalesce(gone, false) AND f.start_date <= DATE '{day}'""",
        )
        # A home is identified by its UPRN alone; simulated homes have no postcode.
        put(
            "addressesonroll",
            f"""SELECT r.id AS pupilonrolltableid, any_value(a.household_id) AS uniquepropertyreferencenumber, NULL AS postcode FROM roll r
            JOIN addresses a USING (pupil_id) WHERE NOT coalesce(gone, false) AND a.start_date <= DATE '{day}' AND coalesce(a.end_date, DATE '2999-01-01') >= DATE '{day}'
            GROUP BY r.id""",
        )
        for kind, gone in (("on", "NOT coalesce(gone, false)"), ("off", "gone")):
            key = "pupilonrolltableid" if kind == "on" else "pupilnolongeronrolltableid"
            put(
                f"termlysessiondetails{kind}roll",
                f"""SELECT r.id AS {key}, m.code AS attendancereason, count(*)::DOUBLE AS sessions
                FROM roll r JOIN final_marks m USING (pupil_id) WHERE {gone} AND m."date" BETWEEN DATE '{covered.start}' AND DATE '{covered.end}'
                AND m."date" >= r.entry_date AND (r.leaving_date IS NULL OR m."date" <= r.leaving_date) GROUP BY ALL""",
            )
            put(
                f"termlyexclusions{kind}roll",
                f"""SELECT r.id AS {key}, {text("s.start_date")} AS startdate, s.category, s.sessions::DOUBLE AS sessions, s.reason AS reason1
                FROM roll r JOIN suspensions s USING (pupil_id) WHERE {gone} AND s.urn = r.urn AND s.start_date BETWEEN r.entry_date AND DATE '{day}'
                AND s.start_date <= coalesce(r.leaving_date, DATE '2999-01-01')""",
            )
        before = day
    return files


def write_marks(histories: Path, file: Path, layout: str = "long", since: str = "1990-01-01") -> None:
    """Write the marks of pupils with a UPN from a day on, in one of the layouts of ``import marks``."""
    con = opened(histories)
    con.execute(f"""CREATE TABLE m AS SELECT p.upn, "date" AS d, session::VARCHAR AS s, arg_max(code::VARCHAR, a.recorded_on) AS c
        FROM attendance a JOIN pupils p USING (pupil_id) WHERE p.upn IS NOT NULL AND "date" >= DATE '{since}' GROUP BY ALL""")
    query = 'SELECT upn, d AS "date", s AS session, c AS code FROM m ORDER BY ALL'
    if layout == "weeks":
        con.execute("DELETE FROM m WHERE length(c) > 1")  # a string of marks has one place for each
        query = """SELECT upn, (d - (isodow(d) - 1)::INT)::DATE AS week, string_agg(coalesce(c, '-'), '' ORDER BY d, s) AS marks FROM (
            SELECT w.upn, w.monday + i::INT AS d, h.s, m.c FROM (SELECT DISTINCT upn, (d - (isodow(d) - 1)::INT)::DATE AS monday FROM m) w,
            range(5) r(i), (VALUES ('AM'), ('PM')) h(s) LEFT JOIN m ON m.upn = w.upn AND m.d = w.monday + i::INT AND m.s = h.s) GROUP BY 1, 2 ORDER BY 1, 2"""
    if layout == "columns":
        query = """PIVOT (SELECT upn, strftime(d, '%Y-%m-%d') || ' ' || s AS col, c FROM m WHERE d BETWEEN DATE '2024-09-09' AND DATE '2024-09-20')
            ON col USING any_value(c) GROUP BY upn ORDER BY upn"""
    con.execute(f"COPY ({query}) TO '{file}' (HEADER, DELIMITER ',')")


def write_social_care(histories: Path, folder: Path) -> None:
    """Write a CIN census and the files of SSDA903 from the episodes of social care; neither has early help."""
    folder.mkdir(parents=True)
    con = opened(histories)
    rows = con.execute("""SELECT p.upn, kind, start_date, end_date, category, end_reason FROM social_care JOIN pupils p USING (pupil_id)
        WHERE p.upn IS NOT NULL ORDER BY ALL""").fetchall()
    children: dict[str, list[str]] = {}

    def tag(name, value):
        return f"<{name}>{value}</{name}>" if value else ""

    for upn, kind, start, end, category, why in rows:
        inside = {
            "referral": f"<CINreferralDate>{start}</CINreferralDate><ReferralNFA>1</ReferralNFA>",
            "cin": f"<CINreferralDate>{start}</CINreferralDate>{tag('PrimaryNeedCode', category)}{tag('CINclosureDate', end)}{tag('ReasonForClosure', why)}",
            "assessment": f"<Assessments><AssessmentActualStartDate>{start}</AssessmentActualStartDate>{tag('AssessmentAuthorisationDate', end)}</Assessments>",
            "cpp": f"<ChildProtectionPlans><CPPstartDate>{start}</CPPstartDate>{tag('CPPendDate', end)}{tag('LatestCategoryOfAbuse', category)}</ChildProtectionPlans>",
        }.get(kind)
        if inside:
            children.setdefault(upn, []).append(f"<CINdetails>{inside}</CINdetails>")
    body = "".join(
        f"<Child><ChildIdentifiers><UPN>{u}</UPN></ChildIdentifiers>{''.join(d)}</Child>" for u, d in children.items()
    )
    (folder / "cin.xml").write_text(
        f"<Message><Header><Collection>CIN</Collection></Header><Children>{body}</Children></Message>"
    )
    (folder / "903").mkdir()
    con.execute(
        "CREATE TABLE c AS SELECT p.upn AS upn, s.* FROM social_care s JOIN pupils p USING (pupil_id) WHERE p.upn IS NOT NULL AND kind IN ('cla', 'missing')"
    )
    for name, query in (
        ("header", "SELECT DISTINCT pupil_id AS CHILD, upn AS UPN FROM c"),
        (
            "episodes",
            "SELECT pupil_id AS CHILD, strftime(start_date, '%d/%m/%Y') AS DECOM, strftime(end_date, '%d/%m/%Y') AS DEC FROM c WHERE kind = 'cla'",
        ),
        (
            "missing",
            "SELECT pupil_id AS CHILD, strftime(start_date, '%d/%m/%Y') AS MIS_START, strftime(end_date, '%d/%m/%Y') AS MIS_END FROM c WHERE kind = 'missing'",
        ),
    ):
        con.execute(f"COPY ({query}) TO '{folder / '903' / name}.csv' (HEADER, DELIMITER ',')")


def write_lists(histories: Path, folder: Path) -> None:
    """Write the list of cases, an extract of schools and the index of areas."""
    folder.mkdir(parents=True)
    con = opened(histories)
    idaci = "Income Deprivation Affecting Children Index (IDACI) Decile (where 1 is most deprived 10% of LSOAs)"
    kinds = "CASE phase WHEN 'special' THEN 'Community special school' WHEN 'ap' THEN 'Pupil referral unit' ELSE 'Community school' END"
    for name, query in (
        (
            "cases",
            'SELECT p.upn AS "UPN", missing_from, reported_on, resolved_on, resolution FROM cme JOIN pupils p USING (pupil_id) WHERE p.upn IS NOT NULL',
        ),
        (
            "schools",
            f"""SELECT urn AS "URN", name AS "EstablishmentName", authority AS "LA (code)", {kinds} AS "TypeOfEstablishment (name)",
            CASE WHEN phase IN ('primary', 'secondary') THEN upper(phase[1]) || phase[2:] ELSE 'Not applicable' END AS "PhaseOfEducation (name)",
            low_age AS "StatutoryLowAge", high_age AS "StatutoryHighAge", trust AS "Trusts (code)" FROM schools""",
        ),
        ("areas", f'SELECT lsoa AS "LSOA code (2021)", idaci_decile AS "{idaci}" FROM areas'),
    ):
        con.execute(f"COPY ({query}) TO '{folder / name}.csv' (HEADER, DELIMITER ',')")
