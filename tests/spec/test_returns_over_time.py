"""Successive returns by example: yearly returns, extracts, and lists with only one end of a spell."""

from datetime import date

import duckdb
import pytest

from histories.errors import Faults
from histories.returns import FORMATS, import_return
from tests.support.return_text import KEY, cin, read
from tests.support.small_returns import ROLL, UPNS, import_text

UPN = "B801200005001"

EPISODES = "CHILD,DECOM,DEC\n"
YEARS = {
    "header_2023.csv": f"CHILD,UPN\n7,{UPN}\n",
    "episodes_2023.csv": EPISODES + "7,01/06/2022,01/02/2023\n7,01/02/2023,\n",
    "missing_2023.csv": "CHILD,MIS_START,MIS_END\n7,30/03/2023,\n",
    "header_2024.csv": f"CHILD,UPN\n7,{UPN}\n",
    "episodes_2024.csv": EPISODES + "7,01/02/2023,12/12/2023\n",
    "missing_2024.csv": "CHILD,MIS_START,MIS_END\n7,30/03/2023,02/04/2023\n",
}


@pytest.mark.parametrize("steps", [["2023", "2024"], ["2024", "2023"], ["2023", "2024", "2023"], [""]])
def test_two_years_of_care_are_one_spell_with_the_right_end(tmp_path, steps):
    for year in steps:
        folder = tmp_path / f"of{year}"
        folder.mkdir(exist_ok=True)
        for name, text in YEARS.items():
            if year in name:
                (folder / name).write_text(text)
        import_return(FORMATS["ssda903"], [folder], tmp_path / "h", KEY)
    columns = "kind, start_date, end_date, recorded_on, end_recorded_on"
    spells = duckdb.connect().sql(f"SELECT {columns} FROM '{tmp_path / 'h' / 'social_care.parquet'}' ORDER BY ALL")
    assert spells.fetchall() == [
        ("cla", date(2022, 6, 1), date(2023, 12, 12), date(2023, 3, 31), date(2024, 3, 31)),
        ("missing", date(2023, 3, 30), date(2023, 4, 2), date(2023, 3, 31), date(2024, 3, 31)),
    ]


def test_two_years_of_need_are_one_episode(tmp_path):
    """A later census closes the episode, and an earlier one imported afterwards does not reopen it."""
    details = "<CINdetails><CINreferralDate>2024-05-01</CINreferralDate>{}</CINdetails>"
    for year, end in (("2025", "<CINclosureDate>2024-11-30</CINclosureDate>"), ("2024", "")):
        text = cin(f"<UPN>{UPN}</UPN>", details.format(end)).replace("2025</Year>", f"{year}</Year>")
        episodes, _ = read(tmp_path, "cin-census", {"cin.xml": text}, "social_care", "kind, end_date, end_recorded_on")
    assert episodes == [
        ("cin", date(2024, 11, 30), date(2025, 3, 31)),
        ("referral", date(2024, 5, 1), date(2024, 5, 1)),
    ]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_extracts_of_cases_are_one_case(tmp_path, order):
    head = "UPN,Missing from,Reported on,Closed on\n"
    extracts = [head + f"{UPN},10/09/2024,01/10/2024,\n", head + f"{UPN},10/09/2024,01/10/2024,04/11/2024\n"]
    for n in order:
        cases, _ = read(tmp_path, "cme-cases", {"cases.csv": extracts[n]}, "cme", "missing_from, resolved_on")
    assert cases == [(date(2024, 9, 10), date(2024, 11, 4))]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_mark_changed_by_a_later_extract_counts_from_that_extract(tmp_path, order):
    head = "upn,date,session,code\n"
    extracts = [
        head + f"{UPN},2024-09-10,AM,N\n{UPN},2024-09-13,AM,/\n",
        head + f"{UPN},2024-09-10,AM,I\n{UPN},2024-09-20,AM,/\n",
    ]
    for n in order:
        marks, _ = read(tmp_path, "marks", {"m.csv": extracts[n]}, "attendance", '"date", code, recorded_on')
    assert [r for r in marks if r[0] == date(2024, 9, 10)] == [
        (date(2024, 9, 10), "I", date(2024, 9, 20)),
        (date(2024, 9, 10), "N", None),
    ]


def test_codes_with_blanks_or_in_lower_case_count_and_unknown_codes_are_named(tmp_path):
    text = f"upn,date,session,code\n{UPN},2024-09-09,AM, I \n{UPN},2024-09-10,AM,u\n{UPN},2024-09-11,AM,QQ\n{UPN},2024-09-12,AM,-\n"
    codes, report = read(tmp_path, "marks", {"m.csv": text}, "attendance", "code")
    assert codes == [("I",), ("U",)]
    assert any("code u in lower case" in n for n in report.notes)
    assert any("code QQ" in n for n in report.notes)


def test_a_list_of_home_education_ends_the_spell(tmp_path):
    """The list has no entry dates: it ends the spell of another return, whichever is imported first."""
    mapping = '[[table]]\nfills = "enrolments"\nfiles = "*ehe*.csv"\npupil = "UPN"\n[table.columns]\nurn = "School"\nleaving_date = "From"\n[table.constants]\ndestination = "home_education"\n'
    census = f"pupilonrolltableid,NativeId,dob,upn,sex,entrydate\n1,100001,2013-05-01,{UPN},F,2020-09-02\n"
    steps = [
        ("school-census", {"2024_autumn_pupilonroll.csv": census}, {}),
        ("csv", {"ehe.csv": f"UPN,School,From\n{UPN},100001,2024-11-04\n"}, {"mapping": mapping}),
    ]
    for n, order in enumerate((steps, steps[::-1])):
        for form, files, options in order:
            home = tmp_path / f"{n}"
            (home / form).mkdir(parents=True)
            for name, text in files.items():
                (home / form / name).write_text(text)
            if options:
                (home / "own.toml").write_text(mapping)
            import_return(FORMATS[form], [home / form], home / "h", KEY, mapping=home / "own.toml" if options else None)
        spells = duckdb.connect().sql(f"SELECT leaving_date, destination FROM '{home / 'h' / 'enrolments.parquet'}'")
        assert spells.fetchall() == [(date(2024, 11, 4), "home_education")]


def test_children_missing_from_the_header_are_reported_by_line(tmp_path):
    files = {"header.csv": f"CHILD,UPN\n12,{UPN}\n", "episodes.csv": EPISODES + "13,04/09/2023,\n"}
    with pytest.raises(Faults, match=r"1 child of episodes\.csv not in header\.csv \(column CHILD, lines 2\)"):
        read(tmp_path, "ssda903", files, "social_care", "kind")


def test_a_column_that_one_of_two_tables_reads_is_not_reported_as_unused(tmp_path):
    text = f"UPN,URN,Entry,Left,Born,Note\n{UPNS[0]},100001,2020-09-02,,2012-01-01,x\n"
    report = import_text(tmp_path, "csv", {"roll.csv": text}, mapping=ROLL)
    assert report.unused == ["roll.csv: columns note"]
