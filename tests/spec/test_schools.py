"""The published list of schools by example: type, published phase or ages determine the phase, and LAESTAB is kept."""

import duckdb
import pytest

from histories.returns import FORMATS, import_return

KEY = b"a key for tests only"
HEAD = (
    "URN,LA (code),EstablishmentNumber,EstablishmentName,TypeOfEstablishment (name),PhaseOfEducation (name),"
    "StatutoryLowAge,StatutoryHighAge,Trusts (code),CloseDate\n"
)
PHASES = [
    ("Community school", "Nursery", "3", "5", "primary"),
    ("Voluntary aided school", "Primary", "5", "11", "primary"),
    ("Academy converter", "Middle deemed primary", "8", "12", "primary"),
    ("Foundation school", "Middle deemed secondary", "9", "13", "secondary"),
    ("University technical college", "Secondary", "14", "19", "secondary"),
    ("Free schools 16 to 19", "16 plus", "16", "19", "secondary"),
    ("Further education", "Not applicable", "16", "99", "secondary"),
    ("Secure units", "Not applicable", "10", "17", "secondary"),
    ("Free schools", "All-through", "4", "18", "all-through"),
    ("Other independent school", "Not applicable", "3", "18", "all-through"),
    ("Other independent school", "Not applicable", "3", "13", "primary"),
    ("Other independent school", "Not applicable", "11", "16", "secondary"),
    ("City technology college", "Not applicable", "11", "18", "secondary"),
    ("Community special school", "Not applicable", "2", "19", "special"),
    ("Special post 16 institution", "16 plus", "16", "25", "special"),
    ("Other independent special school", "Not applicable", "5", "19", "special"),
    ("Free schools alternative provision", "Secondary", "11", "16", "ap"),
    ("Pupil referral unit", "Not applicable", "5", "16", "ap"),
    ("Higher education institutions", "Not applicable", "", "", None),
    ("Children's centre", "Not applicable", "", "", None),
]


def imported(tmp_path, rows):
    text = HEAD + "".join(",".join(row) + "\n" for row in rows)
    (tmp_path / "edubasealldata20250422.csv").write_bytes(text.encode("cp1252"))
    report = import_return(FORMATS["schools"], [tmp_path / "edubasealldata20250422.csv"], tmp_path / "h", KEY)
    schools = duckdb.sql(f"FROM '{tmp_path / 'h' / 'schools.parquet'}' ORDER BY urn")
    return [dict(zip(schools.columns, r, strict=True)) for r in schools.fetchall()], report


def test_the_type_the_published_phase_or_the_ages_determine_the_phase(tmp_path):
    rows = [
        (f"{100001 + n}", "801", f"{n + 1}", "School", kind, phase, low, high, "", "")
        for n, (kind, phase, low, high, _) in enumerate(PHASES)
    ]
    schools, report = imported(tmp_path, rows)
    wanted = {f"{100001 + n}": p for n, (*_, p) in enumerate(PHASES) if p}
    assert {s["urn"]: s["phase"] for s in schools} == wanted
    assert any("2 establishments" in n and "Higher education institutions" in n for n in report.notes)


@pytest.mark.parametrize("name", ["Zoë’s school", "St Æthel’s – upper"])
def test_schools_are_read_from_a_file_in_windows_1252(tmp_path, name):
    row = ("100001", "801", "2000", name, "Academy converter", "Primary", "4", "11", "2044", "")
    assert imported(tmp_path, [row])[0] == [
        {
            "urn": "100001",
            "name": name,
            "phase": "primary",
            "authority": "801",
            "low_age": 4,
            "high_age": 11,
            "trust": "2044",
        }
    ]


def test_pupils_of_a_laestab_are_pupils_of_its_open_school(tmp_path):
    rows = [
        ("100001", "801", "200", "Old", "Community school", "Primary", "4", "11", "", "31-08-2020"),
        ("100002", "801", "200", "New", "Academy converter", "Primary", "4", "11", "2044", ""),
    ]
    imported(tmp_path, rows)
    census = "pupilonrolltableid,NativeId,dob,upn,sex,entrydate\n1,8010200,2013-05-01,B801200005001,F,2020-09-02\n"
    (tmp_path / "2024_autumn_pupilonroll.csv").write_text(census)
    import_return(FORMATS["school-census"], [tmp_path / "2024_autumn_pupilonroll.csv"], tmp_path / "h", KEY)
    assert duckdb.sql(f"SELECT urn FROM '{tmp_path / 'h' / 'enrolments.parquet'}'").fetchall() == [("100002",)]
