"""Files with faults that once went in silently: each kind is now refused by name or told, with file, column and rows."""

import io

import duckdb
import openpyxl
import pytest

from histories.errors import Faults
from histories.identity import clean_upn, clean_upn_sql, upn_with_check_letter
from histories.returns import FORMATS, import_return
from tests.support.return_layouts import LAYOUTS, stated_or_refused
from tests.support.return_text import cin, read

A, B = (upn_with_check_letter(f"80120000{n}") for n in (5001, 5002))
CENSUS = f"pupilonrolltableid,NativeId,dob,upn,sex,entrydate\n0,100001,2013-05-01,{A},F,2020-09-02\n1,100001,2013-05-01,{B},F,2020-09-02\n"
CASES = "UPN,Missing from,Reported on,Closed on\n"
SEN2 = {
    "person.csv": f"persontableid,sen2tableid,personbirthdate,upn\nc1,s1,2013-05-01,{A}\nc2,s1,2013-05-01,{B}\n",
    "requests.csv": "requeststableid,persontableid\nr1,c1\nr2,c2\n",
    "assessment.csv": "assessmenttableid,requeststableid\na1,r1\na2,r2\n",
    "namedplan.csv": "namedplantableid,assessmenttableid,startdate\np1,a1,2022-09-28\np2,a2,2022-09-28\n",
}
STUDENTS = f'[{{"id": "S1", "mis_id": "1", "surname": "x", "upn": "{A}"}}, {{"id": "S1", "mis_id": "2", "surname": "x", "upn": "{B}"}}]'


def census(old, new):
    return {"2025_spring_pupilonroll.csv": CENSUS.replace(old, new)}


def sen2(module, old, new):
    return SEN2 | {f"{module}.csv": SEN2[f"{module}.csv"].replace(old, new)}


# A fault: the format, its files, and a part of the refusal, which names file, column and lines.
REFUSED = {
    "a row key that occurs twice in a census": (
        "school-census",
        census("\n1,", "\n0,"),
        r"pupilonrolltableid, lines 2, 3: .* occurs again",
    ),
    "a row without a key in a census": ("school-census", census("\n1,", "\n,"), r"pupilonrolltableid, lines 3"),
    "a school without a number in a census": (
        "school-census",
        census(f"1,100001,2013-05-01,{B}", f"1,,2013-05-01,{B}"),
        r"2025_spring_pupilonroll\.csv, column nativeid, lines 3",
    ),
    "a child who joins after the census": (
        "school-census",
        census(f"{B},F,2020-09-02", f"{B},F,2025-09-02"),
        r"entrydate, lines 3: .* long after the day of the census",
    ),
    "a person's key that occurs twice in SEN2": ("sen2", sen2("person", "c2", "c1"), r"persontableid, lines 2, 3"),
    "a request's key that occurs twice in SEN2": ("sen2", sen2("requests", "r2", "r1"), r"requeststableid, lines 2, 3"),
    "an assessment's key that occurs twice": ("sen2", sen2("assessment", "a2", "a1"), r"assessmenttableid, lines 2, 3"),
    "a census of a year to come": (
        "school-census",
        {"2052_spring_pupilonroll.csv": CENSUS},
        "2052_spring_pupilonroll.csv: the date of the return lies in the future",
    ),
    "weeks that do not begin on Monday": (
        "marks",
        {"m.csv": f"upn,week,marks\n{A},2024-09-11,//////////\n"},
        r"m\.csv, column week, lines 2: .* marks fall on a weekend",
    ),
    "a student of Wonde who is two children": (
        "wonde",
        {
            "students.json": STUDENTS,
            "m.json": '[{"student_id": "S1", "date": "2024-09-04", "session": "AM", "code": "/"}]',
        },
        "1 ids of students stand for several UPNs",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_with_this_fault_is_refused_by_name(tmp_path, kind):
    form, files, why = REFUSED[kind]
    options = {"mapping": 'layout = "weeks"\n'} if form == "marks" else {}
    with pytest.raises(Faults, match=why):
        read(tmp_path, form, files, "pupils", "*", **options)
    assert not (tmp_path / "h").exists()


SUSPECT = "UPNs have several dates of birth: two children may share a UPN"
ONE_UPN_TWO_BIRTHS = {
    "school-census": census(f"1,100001,2013-05-01,{B}", f"1,100001,2014-06-02,{A}"),
    "sen2": sen2("person", f"2013-05-01,{B}", f"2014-06-02,{A}"),
    "ctf": {
        "p.xml": "<CTfile><CTFpupilData>"
        + "".join(
            f"<Pupil><UPN>{A}</UPN><DOB>{born}</DOB><SchoolHistory><School><LEA>801</LEA><Estab>2000</Estab>"
            "<EntryDate>2018-09-02</EntryDate></School></SchoolHistory></Pupil>"
            for born in ("2013-05-01", "2014-06-02")
        )
        + "</CTFpupilData></CTfile>"
    },
    "annex-a": {
        "a.csv": f"Child Unique ID,UPN,Date of Birth,CIN Start Date\n1,{A},01/05/2013,10/09/2024\n2,{A},02/06/2014,10/09/2024\n"
    },
}
ONE_UPN_TWO_CHILDREN = {
    "ssda903": {"header.csv": f"CHILD,UPN\n7,{A}\n8,{A}\n", "episodes.csv": "CHILD,DECOM,DEC\n7,04/09/2023,\n"},
    "sen2": sen2("person", B, A),
    "annex-a": {"a.csv": f"Child Unique ID,UPN,CIN Start Date\n1,{A},10/09/2024\n2,{A},10/09/2024\n"},
    "cin-census": {
        "c.xml": "<Message><Header><Collection>CIN</Collection><Year>2024</Year></Header><Children>"
        + "".join(
            f"\n<Child><ChildIdentifiers><LAchildID>{n}</LAchildID><UPN>{A}</UPN></ChildIdentifiers>"
            "<CINdetails><CINreferralDate>2023-09-04</CINreferralDate></CINdetails></Child>"
            for n in (7, 8)
        )
        + "</Children></Message>"
    },
}
# A fault: the format, its files, and what the import says of it.
TOLD = {
    **{
        f"one UPN of two children in {form}": (form, files, "2 rows have a UPN that stands for several values of")
        for form, files in ONE_UPN_TWO_CHILDREN.items()
    },
    "a child with another UPN in another year": (
        "ssda903",
        {
            "header_2023.csv": f"CHILD,UPN\n7,{A}\n",
            "episodes_2023.csv": "CHILD,DECOM,DEC\n7,04/09/2022,\n",
            "header_2024.csv": f"CHILD,UPN\n7,{B}\n",
            "episodes_2024.csv": "CHILD,DECOM,DEC\n7,04/09/2022,01/02/2024\n",
        },
        "1 of the children (CHILD) have different UPNs in these headers",
    ),
    "a CIN census without a year": (
        "cin-census",
        {"c.xml": ONE_UPN_TWO_CHILDREN["cin-census"]["c.xml"].replace("2024</Year>", "2023-24</Year>")},
        "c.xml: the header states no year as a number",
    ),
    **{
        f"one UPN with two births in {form}": (form, files, f"1 {SUSPECT}")
        for form, files in ONE_UPN_TWO_BIRTHS.items()
    },
    "an area with two deciles": (
        "areas",
        {"a.csv": "LSOA code (2021),idaci_decile\nE01000001,1\nE01000001,2\n"},
        "a.csv: 1 areas are stated twice and differently",
    ),
    "a school with two phases": (
        "schools",
        {"g.csv": "URN,PhaseOfEducation (name)\n100001,Primary\n100001,Secondary\n"},
        "g.csv: 1 schools are stated twice and differently",
    ),
    "a case with two ends": (
        "cme-cases",
        {"c.csv": CASES + f"{A},10/09/2024,01/10/2024,01/11/2024\n{A},10/09/2024,01/10/2024,01/12/2024\n"},
        "c.csv: 1 cases are stated twice and differently",
    ),
    "two headings of one meaning that differ": (
        "cme-cases",
        {"c.csv": f"UPN,Missing from,Reported on,Referral date\n{A},10/09/2024,01/10/2024,05/05/2024\n"},
        "c.csv: 1 row has different values in referral_date and reported_on, of which the first with a value counts (lines 2)",
    ),
    "a wrong check letter": (
        "cme-cases",
        {"c.csv": CASES + f"{'A' if A[0] != 'A' else 'B'}{A[1:]},10/09/2024,01/10/2024,\n"},
        "c.csv: 1 row has a UPN with a wrong check letter (lines 2)",
    ),
    "a school of a transfer file without numbers": (
        "ctf",
        {"p.xml": ONE_UPN_TWO_BIRTHS["ctf"]["p.xml"].replace("<LEA>801</LEA><Estab>2000</Estab>", "", 1)},
        "p.xml: 1 row has a school without a number and was left out (lines 1)",
    ),
}


@pytest.mark.parametrize("kind", TOLD)
def test_a_file_with_this_fault_is_told(tmp_path, kind):
    form, files, what = TOLD[kind]
    folder = tmp_path / "return"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    report = import_return(FORMATS[form], [folder], tmp_path / "h", b"a key for tests only")
    assert any(what in note for note in report.notes), report.notes


def test_a_second_heading_of_the_upn_is_not_used_and_named(tmp_path):
    text = f"UPN,Unique pupil number,Missing from,Reported on\n{A},{B},10/09/2024,01/10/2024\n"
    _, report = read(tmp_path, "cme-cases", {"c.csv": text}, "cme", "*")
    assert "c.csv: columns unique_pupil_number, since upn names the child" in report.unused


def test_dates_beyond_sense_are_told_by_the_import_too(tmp_path):
    read(tmp_path, "school-census", census("", ""), "pupils", "*")
    cases = CASES + f"{A},10/09/2042,01/10/2042,\n"
    (tmp_path / "return" / "2025_spring_pupilonroll.csv").unlink()
    _, report = read(tmp_path, "cme-cases", {"c.csv": cases}, "cme", "*")
    assert any("cme.parquet" in n and "missing_from" in n and ".writing" not in n for n in report.notes), report.notes


def test_a_workbook_with_several_sheets_of_one_layout_is_refused(tmp_path):
    book = openpyxl.Workbook()
    for title, upn in (("2023-24", A), ("2024-25", B)):
        sheet = book.create_sheet(title)
        sheet.append(["UPN", "Missing from", "Reported on"])
        sheet.append([upn, "10/09/2024", "01/10/2024"])
    empty = book.create_sheet("template")
    empty.append(["UPN", "Missing from", "Reported on"])
    out = io.BytesIO()
    book.save(out)
    (tmp_path / "return").mkdir()
    (tmp_path / "return" / "c.xlsx").write_bytes(out.getvalue())
    with pytest.raises(Faults, match=r"c\.xlsx: the sheets 2, 3 have the expected headings"):
        read(tmp_path, "cme-cases", {}, "cme", "*")


# What is not of the form of a UPN, though no placeholder: two children with it would be one.
NO_UPN = {
    "a name": "John Smith",
    "without its letter": A[1:],
    "a letter for a digit": A.replace("0", "O"),
    "two in one cell": f"{A}/{B}",
    "a word": "NEW",
    "a number": "12",
    "with a hyphen": f"{A[:4]}-{A[4:]}",
}


@pytest.mark.parametrize("name", [n for n, layout in LAYOUTS.items() if "upn" in layout.places])
def test_what_has_not_the_form_of_a_upn_is_no_child(tmp_path, name):
    layout = LAYOUTS[name]
    without, _ = stated_or_refused(layout, tmp_path / "without", {"upn": "UN1"})
    as_written, told = stated_or_refused(layout, tmp_path / "written", {"upn": NO_UPN["a name"]})
    assert as_written == without
    assert "UPN" in told or as_written is None


@pytest.mark.parametrize("written", [f"'{A}", f'="{A}"', f"\u200b{A}", f"{A}\u00a0", f"{A[:4]} {A[4:].lower()}"])
def test_what_spreadsheets_put_around_a_upn_is_no_part_of_it(written):
    assert clean_upn(written) == A
    assert duckdb.execute(f"SELECT {clean_upn_sql('v')} FROM (SELECT ?::VARCHAR AS v)", [written]).fetchall() == [(A,)]


def test_one_wrong_end_does_not_hide_the_whole_return(tmp_path):
    """An end in 2042 made 31 March 2042 the day on which every episode of the return became known."""
    files = {
        "header.csv": f"CHILD,UPN\n7,{A}\n8,{B}\n",
        "episodes.csv": "CHILD,DECOM,DEC\n7,04/09/2023,01/02/2042\n8,04/09/2023,\n",
    }
    known, report = read(tmp_path, "ssda903", files, "social_care", "DISTINCT year(recorded_on)")
    assert known == [(2024,)]
    assert "episodes.csv: 1 row has a date in the future (lines 2)" in report.notes


@pytest.mark.parametrize("kind", NO_UPN)
def test_only_what_has_the_form_of_a_upn_is_one(kind):
    value = NO_UPN[kind]
    assert clean_upn(value) is None
    assert duckdb.execute(f"SELECT {clean_upn_sql('v')} FROM (SELECT ?::VARCHAR AS v)", [value]).fetchall() == [(None,)]


def test_a_child_without_a_upn_is_told_by_row(tmp_path):
    text = cin(
        "<LAchildID>7</LAchildID><UPN>John Smith</UPN>",
        "<CINdetails><CINreferralDate>2024-05-01</CINreferralDate></CINdetails>",
    )
    with pytest.raises(Faults, match=r"1 row has no UPN; link it by LAchildID \(lines 1\)"):
        read(tmp_path, "cin-census", {"cin.xml": text}, "social_care", "*")
