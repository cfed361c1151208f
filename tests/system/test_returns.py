"""Simulated histories written as real returns come back unchanged, except for what a return cannot carry."""

from datetime import date, timedelta

import duckdb
import pyarrow.parquet as pq
import pytest

from histories.checks.check import check
from histories.identity import pseudonym
from histories.reading.histories import Histories
from histories.returns import FORMATS, import_return
from histories.returns.formats.school_census import census_day
from tests.support.return_files import opened, write_lists, write_marks, write_school_census, write_social_care

KEY = b"a key for tests only"


def made_up(folder, pupils):
    """Simulate histories over two years with all of their censuses."""
    from histories.population.simulation import simulate

    simulate(folder / "h", pupils=pupils, years=2, seed=6)
    censuses = write_school_census(folder / "h", folder / "census", (2023, 2025))
    return folder / "h", folder / "census", censuses


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    return made_up(tmp_path_factory.mktemp("returns"), 400)


@pytest.fixture(scope="module", params=[400, pytest.param(20_000, marks=pytest.mark.prove)])
def given(request, tmp_path_factory):
    return (
        request.getfixturevalue("few")
        if request.param == 400
        else made_up(tmp_path_factory.mktemp("many"), request.param)
    )


@pytest.fixture(scope="module")
def imported(given, tmp_path_factory):
    into = tmp_path_factory.mktemp("imported") / "h"
    report = import_return(FORMATS["school-census"], [given[1]], into, KEY)
    return into, report


def rows(connection, query):
    return set(connection.execute(query).fetchall())


def keyed(histories):
    """Open histories with the key that an import gives each child."""
    con = opened(histories)
    ids = con.execute("SELECT pupil_id, upn FROM pupils WHERE upn IS NOT NULL").fetchall()
    con.execute("CREATE TABLE k (pupil_id VARCHAR, own VARCHAR)")
    con.executemany("INSERT INTO k VALUES (?, ?)", [(p, pseudonym(u, KEY)) for p, u in ids])
    return con


def test_pupils_and_spells_come_back(given, imported):
    before, after = keyed(given[0]), opened(imported[0])
    first, last = census_day(*given[2][0]), census_day(*given[2][-1])
    days = ", ".join(f"DATE '{census_day(*c)}'" for c in given[2])
    # A spell that began and ended between two censuses is seen by the second as that of a leaver.
    spells = f"""SELECT k.own, e.urn, e.entry_date, CASE WHEN e.leaving_date <= DATE '{last}' THEN e.leaving_date END FROM enrolments e JOIN k USING (pupil_id)
        WHERE e.entry_date <= DATE '{last}'"""
    assert rows(after, "SELECT pupil_id, urn, entry_date, leaving_date FROM enrolments") == rows(before, spells)
    people = "SELECT DISTINCT k.own, p.upn, p.date_of_birth, p.sex FROM pupils p JOIN k USING (pupil_id) JOIN enrolments e USING (pupil_id)"
    assert rows(after, "SELECT pupil_id, upn, date_of_birth, sex FROM pupils") == rows(
        before, f"{people} WHERE e.entry_date <= DATE '{last}'"
    )
    recorded = rows(after, f"SELECT DISTINCT recorded_on FROM enrolments WHERE recorded_on NOT IN ({days})")
    assert recorded == set(), "an entry is known from a census day on"
    assert min(rows(after, "SELECT min(leaving_recorded_on) FROM enrolments"))[0] >= first


def test_sessions_and_suspensions_come_back_a_term_or_a_census_later(given, imported):
    before, after = keyed(given[0]), opened(imported[0])
    counted = """SELECT k.own, m.code, count(*) FROM (SELECT pupil_id, "date", session, arg_max(code::VARCHAR, recorded_on) AS code FROM attendance GROUP BY ALL) m
        JOIN k USING (pupil_id) WHERE m."date" BETWEEN DATE '{}' AND DATE '{}' GROUP BY ALL"""
    terms = after.execute(
        "SELECT DISTINCT term_start, term_end, recorded_on FROM termly_attendance ORDER BY 1"
    ).fetchall()
    assert len(terms) == 5  # the first census carries a summer term from before the histories begin
    for start, end, recorded in terms:
        assert recorded > end
        suspensions = rows(
            after, f"SELECT pupil_id, code, sessions FROM termly_attendance WHERE term_start = DATE '{start}'"
        )
        assert suspensions == rows(before, counted.format(start, end))
    last = census_day(*given[2][-1])
    wanted = f"SELECT k.own, s.urn, s.start_date, s.category, s.reason, s.sessions FROM suspensions s JOIN k USING (pupil_id) WHERE s.start_date <= DATE '{last}'"
    suspensions = rows(after, "SELECT pupil_id, urn, start_date, category, reason, sessions FROM suspensions")
    assert suspensions <= rows(before, wanted)
    assert len(suspensions) >= 0.97 * len(rows(before, wanted))  # two on one day are one in a census


def test_needs_and_meals_come_back_by_census_day(given, imported):
    before, after = keyed(given[0]), opened(imported[0])
    for census in given[2]:
        day = census_day(*census)
        of = f"""SELECT DISTINCT {{}} FROM sen s {{}} WHERE s.start_date <= DATE '{day}' AND coalesce(s.end_date, DATE '2999-01-01') > DATE '{day}'
            AND EXISTS (FROM enrolments e WHERE e.pupil_id = s.pupil_id AND e.entry_date <= DATE '{day}' AND (e.leaving_date IS NULL OR e.leaving_date > DATE '{day}'))
            AND NOT (s.provision = 'K' AND EXISTS (FROM sen x WHERE x.pupil_id = s.pupil_id AND x.provision = 'E' AND x.start_date <= DATE '{day}'))"""
        assert rows(after, of.format("s.pupil_id, s.provision", "")) == rows(
            before, of.format("k.own, s.provision", "JOIN k USING (pupil_id)")
        ), day
    meals = rows(after, "SELECT pupil_id, start_date FROM fsm")
    assert meals
    assert meals <= rows(before, "SELECT k.own, start_date FROM fsm JOIN k USING (pupil_id)")


def test_homes_come_back_by_census_day(given, imported):
    before, after = keyed(given[0]), opened(imported[0])
    homes = {
        h: pseudonym(f"home:{h}", KEY)
        for (h,) in before.execute("SELECT DISTINCT household_id FROM addresses").fetchall()
    }
    for census in given[2]:
        day = census_day(*census)
        at = f"start_date <= DATE '{day}' AND coalesce(end_date, DATE '2999-01-01') {{}} DATE '{day}'"
        imported_homes = rows(after, f"SELECT pupil_id, household_id FROM addresses WHERE {at.format('>')}")
        lived = rows(
            before, f"SELECT k.own, household_id FROM addresses JOIN k USING (pupil_id) WHERE {at.format('>=')}"
        )
        listed = rows(
            after,
            f"SELECT pupil_id FROM enrolments WHERE entry_date <= DATE '{day}' AND (leaving_date IS NULL OR leaving_date > DATE '{day}')",
        )
        here = {(p, homes[h]) for p, h in lived if (p,) in listed}
        # A child who has left keeps the home of the last census; of two homes that meet on a day, a census has one.
        assert {f for f in imported_homes if (f[0],) in listed} <= here
        assert {p for p, _ in here} <= {p for p, _ in imported_homes}


def test_social_care_comes_back_except_early_help(given, tmp_path):
    write_social_care(given[0], tmp_path / "care")
    import_return(FORMATS["cin-census"], [tmp_path / "care" / "cin.xml"], tmp_path / "h", KEY)
    import_return(FORMATS["ssda903"], [tmp_path / "care" / "903"], tmp_path / "h", KEY)
    before, after = keyed(given[0]), opened(tmp_path / "h")
    for kind in ("assessment", "cin", "cpp", "cla", "missing"):
        episodes = rows(after, f"SELECT pupil_id, start_date, end_date FROM social_care WHERE kind = '{kind}'")
        assert episodes == rows(
            before, f"SELECT k.own, start_date, end_date FROM social_care JOIN k USING (pupil_id) WHERE kind = '{kind}'"
        ), kind
    referrals = "SELECT {}, start_date FROM social_care {} WHERE kind = 'referral'"
    # Every episode of need begins with a referral in the census, so there are more of them than before.
    assert rows(after, referrals.format("pupil_id", "")) >= rows(
        before, referrals.format("k.own", "JOIN k USING (pupil_id)")
    )
    assert not rows(after, "SELECT 1 FROM social_care WHERE kind = 'early_help'")


def test_cases_schools_and_areas_come_back_complete(given, tmp_path):
    write_lists(given[0], tmp_path / "lists")
    for form, file in (("cme-cases", "cases"), ("schools", "schools"), ("areas", "areas")):
        if rows(opened(given[0]), f"SELECT 1 FROM {'cme' if file == 'cases' else file}"):
            import_return(FORMATS[form], [tmp_path / "lists" / f"{file}.csv"], tmp_path / "h", KEY)
    before, after = keyed(given[0]), opened(tmp_path / "h")
    cases = "SELECT {}, missing_from, reported_on, resolved_on, resolution FROM cme {}"
    if (tmp_path / "h" / "cme.parquet").is_file():
        assert rows(after, cases.format("pupil_id", "")) == rows(
            before, cases.format("k.own", "JOIN k USING (pupil_id)")
        )
    for query in (
        "SELECT urn, name, phase, authority, low_age, high_age, trust FROM schools",
        "SELECT lsoa, idaci_decile FROM areas",
    ):
        assert rows(after, query) == rows(before, query)


def test_imported_histories_pass_the_check(imported):
    checked = check(Histories.open(imported[0]))
    assert checked.errors == 0, checked.text()
    assert any("no reason" in n for n in imported[1].notes)
    assert imported[1].unused


def test_a_later_return_is_merged_and_a_repeated_one_changes_nothing(given, tmp_path):
    _, census, _made = given
    half = [f for f in sorted(census.iterdir()) if int(f.name[:4]) == 2023]
    import_return(FORMATS["school-census"], half, tmp_path / "h", KEY)
    first = pq.read_table(tmp_path / "h" / "pupils.parquet").num_rows
    import_return(FORMATS["school-census"], [census], tmp_path / "h", KEY)
    both = {f.name: pq.read_table(f).num_rows for f in (tmp_path / "h").glob("*.parquet")}
    assert both["pupils.parquet"] > first
    import_return(FORMATS["school-census"], [census], tmp_path / "h", KEY)
    assert {f.name: pq.read_table(f).num_rows for f in (tmp_path / "h").glob("*.parquet")} == both
    assert check(Histories.open(tmp_path / "h")).errors == 0


@pytest.mark.parametrize("layout", ["long", "weeks", "columns"])
def test_marks_come_back_in_every_layout(few, tmp_path, layout):
    write_marks(few[0], tmp_path / "marks.csv", layout)
    (tmp_path / "m.toml").write_text(f'layout = "{layout}"\n')
    import_return(FORMATS["marks"], [tmp_path / "marks.csv"], tmp_path / "h", KEY, mapping=tmp_path / "m.toml")
    before, after = keyed(few[0]), opened(tmp_path / "h")
    final = """SELECT k.own, "date", session::VARCHAR, arg_max(code::VARCHAR, recorded_on) FROM attendance JOIN k USING (pupil_id) WHERE {} GROUP BY ALL"""
    within = "\"date\" BETWEEN DATE '2024-09-09' AND DATE '2024-09-20'" if layout == "columns" else "true"
    wanted = {r for r in rows(before, final.format(within)) if layout != "weeks" or len(r[3]) == 1}
    assert rows(after, 'SELECT pupil_id, "date", session, code FROM attendance') == wanted


def test_a_changed_upn_keeps_the_child(tmp_path):
    """A former UPN in a later census leads to the child's first key, in one import or in two."""
    head = "pupilonrolltableid,NativeId,dob,upn,formerupn,sex,entrydate,enrolstatus,ncyearactual,senprovision\n"
    row = "1,100001,2013-May-01 00:00:00,{},{},F,2020-Sep-02 00:00:00,C,6,N\n"
    old, new = "B801200005001", "Q801200005002"
    (tmp_path / "2023_autumn_pupilonroll.csv").write_text(head + row.format(old, ""))
    (tmp_path / "2024_autumn_pupilonroll.csv").write_text(head + row.format(new, old))
    files = sorted(tmp_path.glob("*.csv"))
    import_return(FORMATS["school-census"], files, tmp_path / "one", KEY)
    import_return(FORMATS["school-census"], files[:1], tmp_path / "two", KEY)
    import_return(FORMATS["school-census"], files[1:], tmp_path / "two", KEY)
    for name in ("one", "two"):
        (pupil,) = pq.read_table(tmp_path / name / "pupils.parquet").to_pylist()
        assert pupil["pupil_id"] == pseudonym(old, KEY)
        assert pupil["upn"] == new


def test_no_name_and_no_address_reaches_histories(tmp_path):
    head = "pupilonrolltableid,NativeId,dob,upn,surname,forename,sex,entrydate\n"
    (tmp_path / "2024_autumn_pupilonroll.csv").write_text(
        head + "1,100001,2013-May-01 00:00:00,B801200005001,ZZCANARY,ZZCANARY,F,2020-Sep-02 00:00:00\n"
    )
    address = "pupilonrolltableid,uniquepropertyreferencenumber,postcode,street\n1,ZZCANARY1,ZZCANARY2,ZZCANARY3\n"
    (tmp_path / "2024_autumn_addressesonroll.csv").write_text(address)
    import_return(FORMATS["school-census"], sorted(tmp_path.glob("*.csv")), tmp_path / "h", KEY)
    con = duckdb.connect()
    files = sorted((tmp_path / "h").rglob("*.parquet"))
    assert any(f.parent.name == ".returns" for f in files)
    for file in files:
        assert "B801200005001" not in str(pq.ParquetFile(file).read()) or file.name == "pupils.parquet"
        assert "ZZCANARY" not in str(con.execute(f"FROM read_parquet('{file}')").fetchall()), file.name
    assert (tmp_path / "h" / "addresses.parquet").is_file()


def test_the_day_of_a_census():
    assert census_day(2025, "summer") == date(2025, 5, 15)
    assert census_day(2025, "summer") - timedelta(days=14) == date(2025, 5, 1)
